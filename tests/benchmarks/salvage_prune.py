"""How much salvage saves and prune drops: `python3 -m tests.benchmarks.salvage_prune [--tries N] [--runs N]`.

Salvage: random edits of 3 to 12 hunks in real repositories; one or two break the guard, or one does while two others
belong together. The real trial is run on each with its defaults. Prune: real runs whose later keeps take the worth of
earlier ones away, pruned by the real `finalize`; and under noise samples drawn for keeps of a known worth, judged by
the real equivalence test. Writes salvage_prune.md beside itself.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from autoresearch.kernel.core.settings import Config  # noqa: E402
from autoresearch.kernel.run import measure  # noqa: E402
from autoresearch.kernel.run.measure import Arms, Bench  # noqa: E402
from autoresearch.noise import equivalence  # noqa: E402

QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
FILES, FINDINGS = 4, 6
COUNT = "cat src/*.txt | grep -c bad || test $? = 1"
# "left" and "right" pass together or not at all.
GUARD = "! grep -q wrong src/*.txt && test $(cat src/*.txt | grep -c left) = $(cat src/*.txt | grep -c right)"
# The smaller of two numbers counts, and each of the others.
LEAST = "printf '%s\\n' $(cat src/a src/b) | sort -n | head -1; cat src/[c-z]"
SUM = f"{{ {LEAST}; }} | paste -sd+ - | bc"
NOISY = {"kind": "noisy", "spread": Decimal(1), "samples": ["99", "100", "101"], "smallest_detectable": "1.4"}
WORTHS = (0.0, 0.5, 1.0, 2.0, 3.0)


class Project:
    """A repository with a run."""

    def __init__(self, root: Path, files: dict[str, str]) -> None:
        self.root = root
        (root / "src").mkdir(parents=True)
        for line in ("init -q -b main", "config user.name t", "config user.email t@t"):
            self.git(*line.split(" "))
        for name, text in files.items():
            self.put(name, text)
        self.git("add", ".")
        self.git("commit", "-qm", "start")

    def put(self, name: str, text: str) -> None:
        """A file's text."""
        (self.root / "src" / name).write_text(text)

    def git(self, *args: str) -> None:
        """Git, which must succeed."""
        subprocess.run(["git", *args], cwd=self.root, env={**os.environ, **QUIET}, capture_output=True, check=True)

    def script(self, name: str, *args: str) -> Any:
        """The answer of an entry script."""
        command = [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), "--repo", str(self.root), *args]
        env = {**os.environ, **QUIET}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def begin(self, verify: str, *flags: str) -> None:
        """The run."""
        usual = ["--goal", "less", "--scope", "src/", "--metric-name", "n", "--direction", "lower"]
        self.script("init_run", *usual, "--environment-summary", "x", "--verify", verify, *flags)

    def trial(self, said: str) -> Any:
        """One experiment."""
        return self.script("run_trial", "--inline", "--knowing", "--description", said)


@contextmanager
def project(files: dict[str, str]) -> Iterator[Project]:
    """A repository that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Project(Path(folder) / "repo", files)


def text(words: list[str]) -> str:
    """Findings far enough apart to be hunks of their own."""
    return "".join(f"{word}\n" + "fill\n" * 8 for word in words)


def salvaged(dice: random.Random, kind: str) -> bool:
    """Whether the good part of one random edit became a keep."""
    untouched = {f"{n}.txt": text(["bad"] * FINDINGS) for n in range(FILES)}
    with project(untouched) as made:
        made.begin(COUNT, "--guard", GUARD)
        places = dice.sample([(n, k) for n in range(dice.randint(1, FILES)) for k in range(FINDINGS)], 6)
        places = places[: dice.randint(3, 6)] if kind == "one of few" else places
        if kind.endswith("of many"):
            places = dice.sample([(n, k) for n in range(2) for k in range(FINDINGS)], dice.randint(8, 12))
        odd = {"two of many": ["wrong", "wrong"], "a pair beside it": ["wrong", "left", "right"]}.get(kind, ["wrong"])
        words = [*odd, *["good"] * (len(places) - len(odd))]
        found = {n: ["bad"] * FINDINGS for n in range(FILES)}
        for (number, line), word in zip(places, words):
            found[number][line] = word
        for number, lines in found.items():
            made.put(f"{number}.txt", text(lines))
        return bool(made.trial(kind)["status"] == "keep")


KINDS = ("one of few", "one of many", "two of many", "a pair beside it")


def pruned(dice: random.Random) -> tuple[int, int, int, int]:
    """One real run: planted useless keeps, how many of them went, keeps of worth, how many of them went."""
    names = "abcdefgh"
    values = dict.fromkeys(names, 50)
    with project(dict.fromkeys(names, "50\n")) as made:
        made.begin(SUM)
        useless: list[int] = []
        order = dice.sample(names[2:], 4)
        steps = [*[("b", 3), ("b", 2)][: dice.randint(1, 2)], *((name, dice.randint(1, 9)) for name in order)]
        dice.shuffle(steps)
        made.put("a", "49\n")  # the smaller one, so that b is of no use yet
        values["a"] = 49
        kept = 1 if made.trial("a")["status"] == "keep" else 0
        for name, less in steps:
            values[name] -= less
            made.put(name, f"{values[name]}\n")
            answer = made.trial(name)
            kept += answer["status"] == "keep"
            useless += [answer["iteration"]] if name == "b" and answer["status"] == "keep" else []
            if answer["status"] != "keep":
                values[name] += less
        made.put("a", "20\n")  # takes the worth of b away, and of the first a
        kept += made.trial("a far")["status"] == "keep"
        gone = made.script("finalize", "--prune", "--branch", "pruned", "--format", "json")["left_out"]
        dropped = len(set(gone) & set(useless))
        return len(useless), dropped, kept - len(useless), len(gone) - dropped


def equivalent(worth: float, tries: int, seed: int) -> float:
    """The share of keeps of a worth, in spreads, that the test calls worthless."""
    dice, shown = random.Random(seed), {"without": False}

    def verify(bench: object, name: str, limit: int = 0) -> object:
        value = 100 + dice.gauss(0, 1) + (worth if shown["without"] else 0)
        return SimpleNamespace(value=Decimal(f"{value:.4f}"), others={}, problem="")

    config = Config(direction="lower", noise=NOISY, max_runs=40)
    arms = Arms(lambda: shown.update(without=True), lambda: shown.update(without=False))
    bench = Bench(HERE, HERE, config, measure.limit_of(config, 1.0), "bench")
    with mock.patch.object(measure, "verify", verify):
        return sum(equivalence.cost(bench, arms, str(n)).none for n in range(tries)) / tries


def percent(part: float) -> str:
    """A share in words."""
    return f"{part:.0%}".replace("%", " %")


def main(argv: list[str]) -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=30, help="edits of each kind")
    parser.add_argument("--runs", type=int, default=12, help="real runs that are pruned")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    dice = random.Random(args.seed)
    lines = ["| The edit | tried | its good part is kept |", "|---|---|---|"]
    total = 0
    for kind in KINDS:
        found = sum(salvaged(dice, kind) for _ in range(args.tries))
        total += found
        lines.append(f"| {kind} | {args.tries} | {percent(found / args.tries)} |")
        print(lines[-1], flush=True)
    lines.append(f"| all | {args.tries * len(KINDS)} | {percent(total / args.tries / len(KINDS))} |")
    counts = [sum(column) for column in zip(*(pruned(dice) for _ in range(args.runs)))]
    print(counts, flush=True)
    shares = [f"| {worth:g} | {percent(equivalent(worth, 400, args.seed))} |" for worth in WORTHS]
    named = f"--tries {args.tries} --runs {args.runs} --seed {args.seed}"
    told = HEAD.format(
        flags=named,
        salvage="\n".join(lines),
        runs=args.runs,
        noisy="\n".join(shares),
        **dict(zip(("useless", "dropped", "others", "wrong"), counts)),
    )
    (HERE / "salvage_prune.md").write_text(told, encoding="utf-8")


HEAD = """# What salvage saves and prune drops

`python3 -m tests.benchmarks.salvage_prune {flags}`

Random edits that fail the guard and hold a good part, each a real trial with the defaults ("few": 3 to 6 hunks,
"many": 8 to 12; "a pair": two hunks that pass together only):

{salvage}

{runs} real runs with an exact number, whose later keeps took the worth of {useless} earlier ones away, pruned by
`finalize --prune`: of those {useless} it dropped {dropped}; of the {others} others {wrong}.

Under noise, samples of 400 keeps for each worth, in spreads, each judged by the equivalence test at its defaults:

| worth today | dropped |
|---|---|
{noisy}
"""


if __name__ == "__main__":
    main(sys.argv[1:])

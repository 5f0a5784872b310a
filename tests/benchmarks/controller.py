"""What the background controller must hold, on the real Codex CLI: `controller.py [--rounds N] [--idle SECONDS]`.

Launch races, stops of a stubborn check, one long run, and what waiting costs. Writes controller.md beside itself and
exits with 1 if a figure is above its limit. Needs the CLI (AUTORESEARCH_CODEX_BIN) and some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from autoresearch.kernel.system import process  # noqa: E402

from tests.codex import scripts  # noqa: E402
from tests.codex.conftest import CONFIG  # noqa: E402
from tests.codex.server import Server  # noqa: E402
from tests.unattended import TRIAL, until  # noqa: E402

CTL = [sys.executable, str(ROOT / "scripts" / "autoresearch_runtime_ctl.py")]
WISH = ["--goal", "small", "--scope", "value", "--metric-name", "value", "--run-tag", "bench"]
STUBBORN = """[ -e ../measured ] || { echo 1000; exit; }
trap '' TERM INT
setsid sh -c 'trap "" TERM INT; echo $$ > ../child.tmp; mv ../child.tmp ../child; while :; do sleep 1; done' &
while :; do sleep 1; done"""
HOUR = 3600.0


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    found: str
    limit: str
    held: bool


class Place:
    """A repository, a sealed home and a scripted model in a temporary folder."""

    def __init__(self, folder: Path, script: scripts.Script) -> None:
        self.server = Server(script)
        self.repo, home = folder / "repo", folder / "home"
        (home / ".codex").mkdir(parents=True)
        (home / ".codex" / "config.toml").write_text(CONFIG.format(port=self.server.port))
        person = {f"GIT_{role}_{key}": "bench" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX_", "GIT_", "PYTHON"))}
        self.env = {**kept, **person, "HOME": str(home), "NO_PROXY": "127.0.0.1", "GIT_CONFIG_NOSYSTEM": "1"}
        self.repo.mkdir()
        (self.repo / "value").write_text("1000\n")
        for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "start"]):
            subprocess.run(["git", *command], cwd=self.repo, env=self.env, check=True)

    def start(self, *args: object) -> subprocess.Popen[str]:
        """A subcommand that runs by itself."""
        command = [*CTL, str(args[0]), "--repo", str(self.repo), *map(str, args[1:])]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ctl(self, *args: object) -> dict[str, Any]:
        """A subcommand that must succeed; its answer."""
        child = self.start(*args)
        out, err = child.communicate()
        if child.returncode:
            raise SystemExit(f"error: {args[0]}: {err.strip()} {out.strip()}")
        return dict(json.loads(out))

    def launch(self, *args: object, verify: str = "cat value") -> dict[str, Any]:
        """Launch a run."""
        return self.ctl("launch", *WISH, "--verify", verify, "--codex-bin", _codex(), *args)

    def record(self) -> dict[str, Any]:
        """The runtime file."""
        return dict(json.loads((self.repo / "autoresearch-runtime.json").read_text()))

    def git(self, *args: str) -> str:
        """What git prints."""
        return subprocess.run(["git", *args], cwd=self.repo, env=self.env, capture_output=True, text=True).stdout


def _codex() -> str:
    found = os.environ.get("AUTORESEARCH_CODEX_BIN") or shutil.which("codex")
    if not found:
        raise SystemExit("error: no Codex CLI; set AUTORESEARCH_CODEX_BIN")
    return found


@contextmanager
def placed(script: scripts.Script) -> Iterator[Place]:
    """A place that is gone afterwards, with all that ran in it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), script)
        try:
            yield place
        finally:
            place.start("stop", "--grace-seconds", 1).communicate()
            place.server.close()


def race() -> bool:
    """Sixteen launches at once: one controller, one session."""
    with placed(scripts.agent(["sleep 600"])) as place:
        flags = (*WISH, "--verify", "cat value", "--codex-bin", _codex())
        launches = [place.start("launch", *flags) for _ in range(16)]
        ends = [(child.communicate(), child.returncode)[1] for child in launches]
        until(lambda: place.server.threads)
        time.sleep(1)
        return sorted(ends) == [0, *[1] * 15] and len(place.server.threads) == 1


def stop(grace: float) -> tuple[float, bool]:
    """Stop a trial whose check ignores signals and has a child in a session of its own: seconds, nothing left."""
    with placed(scripts.agent(["touch ../measured; echo 9 > value", TRIAL])) as place:
        (place.repo.parent / "verify.sh").write_text(STUBBORN)
        place.launch("--verify-timeout", 600, verify="sh ../verify.sh")
        child = place.repo.parent / "child"
        until(child.exists)
        pid, mark = int(child.read_text()), place.record()["session"]["mark"]
        head = place.git("rev-parse", "HEAD~1")
        began = time.monotonic()
        answer = place.ctl("stop", "--grace-seconds", grace)
        took = time.monotonic() - began
        clean = place.git("status", "--porcelain") == "" and place.git("rev-parse", "HEAD") == head
        gone = process.identity(pid) is None and not process.pids_with_mark(mark)
        return took, clean and gone and answer["status"] == "stopped"


def long_run() -> dict[str, Any]:
    """A hundred experiments, ten a session: rows, tree, memory of the controller, time between sessions."""
    script = scripts.researcher(lambda n: f"echo {1000 + (-n if n % 3 == 0 else n)} > value", TRIAL, 10)
    with placed(script) as place:
        began = time.monotonic()
        pid = place.launch("--iterations", 100)["pid"]
        memory: list[int] = []
        gaps: list[float] = []
        last, gone = None, began
        while place.record()["status"] == "running":
            session = place.record().get("session")
            if session is None and last is not None:
                last, gone = None, time.monotonic()
            elif session and session["pid"] and last is None:
                gaps += [time.monotonic() - gone] if memory else []
                memory.append(_memory(pid))
                last = session
            time.sleep(0.005)
        found = {"seconds": time.monotonic() - began, "memory": memory, "gaps": gaps, "sessions": len(memory)}
        rows = [line for line in (place.repo / "research-results.tsv").read_text().splitlines() if line[:1].isdigit()]
        clean = place.git("status", "--porcelain") == ""
        return {**found, "rows": len(rows) - 1, "clean": clean, "reason": place.record()["terminal_reason"]}


def _memory(pid: int) -> int:
    """Resident memory in KiB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(script: scripts.Script, ready: Callable[[Place], object], seconds: float) -> float:
    """Seconds of CPU an hour that the controller uses from when `ready` on."""
    with placed(script) as place:
        pid = place.launch("--backoff-seconds", 3600)["pid"]
        until(lambda: ready(place))
        time.sleep(6)  # what was new is written down by then
        before = _cpu(pid)
        time.sleep(seconds)
        return (_cpu(pid) - before) / seconds * HOUR


def measure(rounds: int, seconds: float) -> Iterator[Figure]:
    """All figures, one after the other."""
    from tests.codex import replies

    won = sum(race() for _ in range(rounds))
    yield Figure(
        "16 launches at once: rounds with one controller and one session", f"{won} of {rounds}", "all", won == rounds
    )
    grace = 2.0
    stops = [stop(grace) for _ in range(rounds)]
    longest, left = max(took for took, _ in stops), sum(not clean for _, clean in stops)
    yield Figure(
        f"stop of a stubborn check, grace {grace:g} s: longest",
        f"{longest:.2f} s",
        f"{grace + 2:g} s",
        longest <= grace + 2,
    )
    yield Figure("stops that left a process, an edit or a commit", f"{left} of {rounds}", "0", left == 0)
    ran = long_run()
    ok = ran["rows"] == 100 and ran["clean"] and ran["sessions"] >= 10 and ran["reason"] == "iteration_cap_reached"
    tree = "clean" if ran["clean"] else "dirty"
    text = f"{ran['rows']} rows, {ran['sessions']} sessions, {tree}, {ran['seconds']:.0f} s"
    yield Figure("100 iterations over 10 sessions", text, "100 rows, clean", ok)
    grown = ran["memory"][-1] - ran["memory"][1]
    yield Figure(
        "memory of the controller, second to last session",
        f"{grown:+d} KiB of {ran['memory'][1]}",
        "+1024 KiB",
        grown < 1024,
    )
    gap = max(ran["gaps"])
    yield Figure("from session end to next session start: longest", f"{gap:.2f} s", "1 s", gap < 1)
    waits = idle(scripts.always(replies.rate_limited()), lambda place: place.record()["waiting_until"], seconds)
    yield Figure(f"CPU an hour while it waits (from {seconds:g} s)", f"{waits:.2f} s", "1 s", waits < 1)
    silent = idle(scripts.agent(["sleep 3600"]), lambda place: place.server.threads, seconds)
    yield Figure(f"CPU an hour while a session is silent (from {seconds:g} s)", f"{silent:.2f} s", "1 s", silent < 1)


def main() -> int:
    """Measure, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--idle", type=float, default=120.0)
    args = parser.parse_args()
    found = []
    for figure in measure(args.rounds, args.idle):
        print(figure.name, figure.found, "ok" if figure.held else "TOO MUCH", sep=": ", flush=True)
        found.append(figure)
    version = subprocess.run([_codex(), "--version"], capture_output=True, text=True).stdout.strip()
    where = f"{os.cpu_count()} CPUs with {version} and a scripted model"
    head = f"# The controller\n\nMeasured by `controller.py` on {where}.\n"
    rows = [f"| {item.name} | {item.found} | {item.limit} | {'yes' if item.held else 'no'} |" for item in found]
    table = "\n".join(["| What | Found | Limit | Held |", "|---|---|---|---|", *rows])
    Path(__file__).with_suffix(".md").write_text(f"{head}\n{table}\n")
    return 0 if all(item.held for item in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""What only a reader can judge: several independent judgements on a fixed sample, by a command that the user agreed to.

The judge sees one text at a time under a neutral name, in shuffled order: it does not know which version it reads nor
what it said before. Texts of known quality, the anchors, are among them: a judge that cannot tell a bad one from a good
one gives no number, and neither does a text that is empty, cut down or repeats itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.run import tempfolder
from . import reference, toolbox
from .counted import Counted, Finding, least_one
from .toolbox import Request

_LEAST = 0.3  # of its length at the start: what is shorter was cut down, not written better
_REPEATED = 0.5  # of its lines are the same line
_SCORE = re.compile(r"^(?:METRIC score=)?\s*(\d+(?:\.\d+)?)(?:\s*/\s*10)?\s*$", re.MULTILINE)


def score(request: Request) -> Counted:
    """The mean over the texts of the median of `--runs` judgements each (default 3), 0 to 10; the cost is told."""
    judge, anchors = request.options.get("judge"), request.options.get("anchors")
    if not judge or "{file}" not in str(judge) or not anchors:
        raise Refusal(
            "--judge CMD with {file} and --anchors DIR with good/ and bad/ are needed, expected both; add them"
        )
    texts = [path for path in request.paths() if path.is_file()]
    least_one(len(texts), "no text was given", "name the files of the fixed sample")
    for text in texts:
        _refuse_degenerate(text, request)
    good, bad = (sorted((request.root / str(anchors) / name).glob("*")) for name in ("good", "bad"))
    least_one(min(len(good), len(bad)), "good/ or bad/ of the anchors is empty", "put texts of known quality there")
    runs = int(request.get("runs", 3))
    scores, seconds = _judged(request, str(judge), [*texts, *good, *bad], runs)
    worst_good, best_bad = min(scores[path] for path in good), max(scores[path] for path in bad)
    if worst_good <= best_bad:
        raise Refusal(
            f"the judge gives a bad anchor {best_bad:g} and a good one {worst_good:g}, expected the good above; "
            "a judge that cannot tell them apart measures nothing: word its question anew"
        )
    found = [Finding(toolbox.relative(text, request.root), 0, f"{scores[text]:g} of 10", "score") for text in texts]
    mean = sum(scores[text] for text in texts) / len(texts)
    numbers = {"score": mean, "worst": min(scores[text] for text in texts), "anchor_gap": worst_good - best_bad}
    calls = runs * len(scores)
    return Counted({**numbers, "texts": len(texts), "calls": calls}, found, (f"{calls} calls, {seconds:.0f} s",))


def _judged(request: Request, judge: str, texts: Sequence[Path], runs: int) -> tuple[dict[Path, float], float]:
    """The median score of each text and the seconds that all calls took; each call sees a copy under a number."""
    import random
    import shlex
    import statistics

    given: dict[Path, list[float]] = {text: [] for text in texts}
    turns, seconds = [text for text in texts for _ in range(runs)], 0.0
    random.shuffle(turns)
    with tempfolder.folder("check") as folder:
        for number, text in enumerate(turns):
            copy = Path(folder, f"text-{number}{text.suffix}")
            copy.write_bytes(text.read_bytes())
            ran = toolbox.shell(judge.replace("{file}", shlex.quote(str(copy))), request)
            copy.unlink()
            seconds += ran.seconds
            said = _SCORE.findall(ran.out)
            if ran.code or len(said) != 1 or float(said[0]) > 10:
                raise Refusal(
                    f"the judge gives no score ({ran.complaint()}), expected one line with a number of 0 to 10"
                )
            given[text].append(float(said[0]))
    return {text: float(statistics.median(found)) for text, found in given.items()}, seconds


def _refuse_degenerate(path: Path, request: Request) -> None:
    """A text that wins by not being one: empty, one line over and over, or most of it gone since `--against REV`."""
    lines = [line.strip() for line in toolbox.read(path).splitlines() if line.strip()]
    shown = toolbox.relative(path, request.root)
    if not lines:
        raise Refusal(f"{shown} is empty, expected a text; write it")
    if len(lines) > 3 and Counter(lines).most_common(1)[0][1] > _REPEATED * len(lines):
        raise Refusal(f"{shown} repeats one line, expected a text; write it")
    for start in reference.copies(request):
        before = start / shown
        if before.is_file() and len(" ".join(lines)) < _LEAST * len(" ".join(toolbox.read(before).split())):
            raise Refusal(f"{shown} has lost most of its length, expected at least {_LEAST:.0%} of it; what was cut?")

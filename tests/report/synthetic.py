"""Runs that nobody ran: a sound log of any length with its evidence, written without measuring anything."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from autoresearch.kernel.core import config, rows
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.disk import journal
from autoresearch.setup import opening

WORDS = "cache the sorted keys once instead of asking for them in every turn of the inner loop of the parser".split()
PATCH = """diff --git a/src/parse.py b/src/parse.py
index 3f1c2aa..9d0e7b1 100644
--- a/src/parse.py
+++ b/src/parse.py
@@ -12,7 +12,8 @@ def parse(lines):
     found = []
-    for line in lines:
-        found.append(Word(line.strip(), len(found)))
+    keys = sorted(lines)
+    for number, line in enumerate(keys):
+        found.append(Word(line.strip(), number))
     return found
"""
OUTPUT = "collecting 120 items\n" + "measured block %d\n" * 12 + "METRIC ms=%s\n"


@dataclass
class Synthetic:
    """A run to be written below `root`: `length` experiments after the baseline, drawn from `seed`."""

    root: Path
    length: int
    seed: int = 1
    noisy: bool = True
    description: str = ""  # instead of drawn words
    wanted: Mapping[str, Any] = field(default_factory=dict)  # further configuration

    def write(self) -> Path:
        """Write log and evidence; returns the root."""
        self.root.mkdir(parents=True, exist_ok=True)
        head = opening.header(self._config(), "loop", "parse-faster", "cpu=8 ram=16384MB gpu=none python=3.11")
        draw = random.Random(self.seed)
        start: list[dict[str, Any]] = [
            {"kind": "start", "at": stamp(0)},
            {"kind": "evaluator", "files": {"bench.py": "00", "verify": "00"}},
        ]
        start.append({"kind": "samples", "iteration": 0, "samples": [_sample("400.0"), _sample("403.1")]})
        first = Row(0, "", "a1b2c3d", Decimal(400), "0", "pass", "baseline", (), "initial ms")
        opening.create(self.root / "research-results.tsv", head, start, first)
        lines = [line for number in range(1, self.length + 1) for line in self._experiment(number, draw)]
        with open(self.root / "research-results.tsv", "a", encoding="utf-8") as log:
            log.write("".join(line + "\n" for line in lines))
        return self.root

    def _config(self) -> Config:
        noise = {"kind": "exact", "spread": 0}
        if self.noisy:
            noise = {"kind": "noisy", "samples": [400, 403.1], "spread": 2.5, "smallest_detectable": 4}
        values: dict[str, Any] = {
            "goal": "Parse the corpus in less time",
            "scope": "src/**/*.py",
            "metric": "ms",
            "direction": "lower",
            "verify": "python3 bench.py",
            "guard": "python3 -m pytest -q",
            "measured": True,
            "confirm": "./held-out",
            "noise": {**noise, "seconds": 0.5},
            "iterations": self.length + 20,
            "stop_condition": "<= 60",
        }
        return config.from_dict({**values, **self.wanted})

    def _experiment(self, number: int, draw: random.Random) -> Iterator[str]:
        retained = getattr(self, "_retained", Decimal(400))
        kind = draw.choices(("keep", "discard", "crash", "refine", "pivot"), (12, 70, 8, 6, 4))[0]
        factor = draw.uniform(0.97, 0.995) if kind == "keep" else draw.uniform(0.99, 1.2)
        value = retained
        if kind in ("keep", "discard"):
            value = (retained * Decimal(str(round(factor, 4)))).quantize(Decimal("0.001"))
            kind = kind if value < retained or kind == "discard" else "discard"
        trial = kind in ("keep", "discard", "crash")
        if draw.random() < 0.02:
            refused = {"kind": "refused", "what": "evaluator", "paths": ["bench.py"], "before_iteration": number}
            yield journal.EVENT + json.dumps({**refused, "at": stamp(number)})
        if trial:
            yield journal.EVENT + json.dumps(self._event(number, kind, value))
            self._evidence(number, value, retained, draw)
        text = self.description or " ".join(draw.sample(WORDS, 9))
        guard = "pass" if kind == "keep" else "-"
        delta = f"{value - retained:+f}" if value != retained else "0"
        yield rows.format_row(Row(number, "", f"{number:07x}", value, delta, guard, kind, (), text))
        self._retained = value if kind == "keep" else retained

    def _event(self, number: int, kind: str, value: Decimal) -> dict[str, Any]:
        event: dict[str, Any] = {"kind": "trial", "iteration": number, "at": stamp(number), "key": f"{number:020x}"}
        event |= {"runs": 12, "seconds": 6.2, "why": "a gain is shown by 6 pairs of runs (signed-rank p 0.0156)"}
        event |= {
            "hypothesis": self.description or "the keys are sorted again for every line",
            "others": {"rss_mb": 81},
        }
        if kind == "keep":
            event["interval"] = [float(value) - 3, float(value) + 3]
            event |= {"unlikely": True} if number % 97 == 0 else {}
        return event

    def _evidence(self, number: int, value: Decimal, retained: Decimal, draw: random.Random) -> None:
        folder = self.root / "autoresearch-evidence" / f"{number:04d}"
        folder.mkdir(parents=True)
        samples = [_sample(f"{float(value) + draw.gauss(0, 2.5):.3f}") for _ in range(6)]
        against = [_sample(f"{float(retained) + draw.gauss(0, 2.5):.3f}") for _ in range(6)]
        data = {"iteration": number, "hypothesis": self.description, "samples": samples, "retained_samples": against}
        (folder / "trial.json").write_text(json.dumps(data))
        (folder / "verify-6.out").write_text(OUTPUT % (*range(12), value))
        (folder / "patch.diff").write_text(self.description or PATCH)


def stamp(minutes: int) -> str:
    """A moment of the run's night."""
    hours, rest = divmod(22 * 60 + minutes, 60)
    return f"2026-03-{25 + hours // 24:02d}T{hours % 24:02d}:{rest:02d}:00Z"


def _sample(value: str) -> dict[str, Any]:
    return {"value": float(value), "problem": "", "seconds": 0.5, "exit_code": 0, "others": {"rss_mb": 81}}

"""What the prompt of the next session tells, read from disk."""

from __future__ import annotations

import shlex
import sys
from typing import Any

from ..agreement import said
from ..cli import same_flags
from ..guidance import following, nextstep
from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.rows import Row
from ..kernel.core.settings import Config
from ..kernel.disk.layout import SKILL_ROOT, Layout, entry
from ..kernel.run import budget, context
from ..resuming import resuming
from . import manifest_file, prompt
from .briefs import Brief
from .manifest import Manifest

ROWS = 5


def text(layout: Layout, found: Manifest | None = None, answer: str = "", brief: Brief | None = None) -> str:
    """The prompt, with the answer of a trial that was left waiting; with a `brief` that of one worker of several.

    Raises `Refusal` when there is neither a run nor a confirmed launch.
    """
    try:
        run = context.load(layout)
    except Refusal:
        if layout.results.exists():
            raise
        return _first(layout, found or manifest_file.require(layout))
    found = found or _optional(layout)
    step = nextstep.step(run.config, run.mode, run.state, run.log.rows, budget.spent(run), following.advice(run))
    rows = [_line(row) for row in run.log.rows if row.is_main][-ROWS:]
    figures = prompt.figures(run.state, nextstep.left(run.config, run.state, budget.spent(run)))
    # A controller clears away what its session left; only in the foreground does an edit wait for the next one.
    figures += resuming.untried(run) if run.config.session_mode == "foreground" else ()
    told: dict[str, Any] = {
        "step": step,
        "figures": figures,
        "rows": rows,
        "answer": answer,
        "words": said.words(run.log)[-10:],
    }
    told["brief"] = brief
    return prompt.render(_facts(layout, run.mode, run.config, found, told))


def _optional(layout: Layout) -> Manifest | None:
    try:
        return manifest_file.read(layout)
    except ValueError:
        return None


def _first(layout: Layout, found: Manifest) -> str:
    return prompt.render(_facts(layout, found.mode, found.config, found, {"setup": setup_command(layout, found)}))


def _facts(layout: Layout, mode: str, agreed: Config, found: Manifest | None, more: dict[str, Any]) -> prompt.Facts:
    notes = _agreed_besides(found) if found else ()
    notes = (*notes, *(f"said by the user in mid-run: {word}" for word in more.pop("words", ())))
    repo = shlex.quote(str(layout.root))
    wish = (found.prompt_text or found.original_goal) if found else ""
    return prompt.Facts(shlex.quote(str(SKILL_ROOT)), repo, mode, agreed, wish=wish, notes=notes, **more)


def _line(row: Row) -> str:
    metric = "-" if row.metric is None else numbers.plain(row.metric)
    return f"{row.iteration} {row.status} {metric} {row.description}"


def setup_command(layout: Layout, found: Manifest) -> str:
    """The `init_run` call that sets up what the manifest holds."""
    words = ["python3", str(entry("init_run")), "--repo", str(layout.root)]
    words += ["--mode", found.mode, "--session-mode", "background"]
    words += ["--run-tag", found.run_tag] if found.run_tag else []
    for flag, value in same_flags.flags(found.config, leave_out=("isolation",)):
        words += [f"--{flag}", value]
    return " ".join(shlex.quote(word) for word in words)


def python() -> str:
    """The interpreter for programs that we start ourselves."""
    return sys.executable or "python3"


def _agreed_besides(found: Manifest) -> tuple[str, ...]:
    """Notes and approvals of the launch, what was assumed then without being contradicted, what an earlier run left."""
    approved = (f"{key}: {value}" for key, value in found.approvals.items())
    assumed = (f"assumed, the user may still say otherwise: {key}: {value}" for key, value in found.defaults.items())
    earlier = (f"known from an earlier run: {key}: {value}" for key, value in found.resume_seed.items())
    return (*found.notes, *approved, *assumed, *earlier)

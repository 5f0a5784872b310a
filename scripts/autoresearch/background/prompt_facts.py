"""What the prompt of the next session tells, read from disk."""

from __future__ import annotations

import shlex
import sys
from typing import Any

from ..kernel.core import nextstep, numbers
from ..kernel.core.config import Config
from ..kernel.core.errors import Refusal
from ..kernel.core.rows import Row
from ..kernel.disk.layout import SKILL_ROOT, Layout
from ..kernel.run import budget, context, resuming, trial
from . import manifest_file, prompt
from .manifest import Manifest

ROWS = 5


def text(layout: Layout, found: Manifest | None = None) -> str:
    """The prompt; raises `Refusal` when there is neither a run nor a confirmed launch."""
    try:
        run = context.load(layout)
    except Refusal:
        if layout.results.exists():
            raise
        return _first(layout, found or manifest_file.require(layout))
    found = found or _optional(layout)
    step = nextstep.step(run.config, run.mode, run.state, run.log.rows, budget.spent(run), trial.advice(run))
    rows = [_line(row) for row in run.log.rows if row.is_main][-ROWS:]
    figures = prompt.figures(run.state, nextstep.left(run.config, run.state, budget.spent(run)))
    # A controller clears away what its session left; only in the foreground does an edit wait for the next one.
    figures += resuming.untried(run) if run.config.session_mode == "foreground" else ()
    return prompt.render(_facts(layout, run.mode, run.config, found, {"step": step, "figures": figures, "rows": rows}))


def _optional(layout: Layout) -> Manifest | None:
    try:
        return manifest_file.read(layout)
    except ValueError:
        return None


def _first(layout: Layout, found: Manifest) -> str:
    return prompt.render(_facts(layout, found.mode, found.config, found, {"setup": setup_command(layout, found)}))


def _facts(layout: Layout, mode: str, config: Config, found: Manifest | None, more: dict[str, Any]) -> prompt.Facts:
    notes = (*found.notes, *(f"{key}: {value}" for key, value in found.approvals.items())) if found else ()
    repo = shlex.quote(str(layout.root))
    wish = (found.prompt_text or found.original_goal) if found else ""
    return prompt.Facts(shlex.quote(str(SKILL_ROOT)), repo, mode, config, wish=wish, notes=notes, **more)


def _line(row: Row) -> str:
    metric = "-" if row.metric is None else numbers.plain(row.metric)
    return f"{row.iteration} {row.status} {metric} {row.description}"


_FLAGS = {
    "metric": "metric-name",
    "required_keep_labels": "required-keep-label",
    "required_stop_labels": "required-stop-label",
}
_NOT_FLAGS = ("measured", "noise", "repos", "worktree", "isolation", "session_mode")


def setup_command(layout: Layout, found: Manifest) -> str:
    """The `init_run` call that sets up what the manifest holds."""
    words = ["python3", str(SKILL_ROOT / "scripts" / "autoresearch_init_run.py"), "--repo", str(layout.root)]
    words += ["--mode", found.mode, "--session-mode", "background"]
    words += ["--run-tag", found.run_tag] if found.run_tag else []
    plain = Config()
    for name in vars(plain):
        value = getattr(found.config, name)
        if name in _NOT_FLAGS or name == "extra" or value in (None, "", ()) or value == getattr(plain, name):
            continue
        flag = "--" + _FLAGS.get(name, name).replace("_", "-")
        words += [part for item in (value if isinstance(value, tuple) else (value,)) for part in (flag, str(item))]
    words += [
        part for repo in found.config.companions for part in ("--companion-repo-scope", f"{repo.path}={repo.scope}")
    ]
    return " ".join(shlex.quote(word) for word in words)


def python() -> str:
    """The interpreter for programs that we start ourselves."""
    return sys.executable or "python3"

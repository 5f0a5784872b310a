"""The text of a pull request: before and after, how it was measured, the kept experiments, how to repeat it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..kernel.core import numbers
from ..kernel.core.settings import Config
from ..kernel.core.text import block, fenced, one_line
from .final_plan import Kept, change

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#@!$&])")
CELL_LIMIT = 300


def escaped(text: str, limit: int = CELL_LIMIT) -> str:
    """Words of a run as Markdown shows them literally: no markup, no mention, no line break."""
    return _SPECIAL.sub(r"\\\1", one_line(text, limit)).replace("\\@", "&#64;")


def shown(text: str) -> str:
    """A command as a code block."""
    return fenced(block(text, 4000), "sh")


def text(config: Config, header: Mapping[str, str], kept: Sequence[Kept], answer: Mapping[str, Any]) -> str:
    """The whole Markdown. `header` is the log's, `answer` what `finalize` answers with."""
    name = escaped(config.metric, 60) or "the metric"
    total = change(answer["baseline_metric"], answer["retained_metric"])
    parts = [
        f"# {name}: {total}",
        f"> {escaped(header['goal'], 1000)}" if header.get("goal") else "",
        f"{len(kept)} kept experiment{'s' * (len(kept) > 1)}, each {_how_known(config)} before it was kept; "
        f"{config.direction} is better.",
        "## Before and after",
        _before_after(config, answer),
        "## How it was measured",
        _how(config, header),
        "## Kept experiments",
        _table(kept),
        "## How to repeat",
        _repeat(config, answer),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _how_known(config: Config) -> str:
    return "measured" if config.measured else "measured by the agent, which reported the number,"


def _before_after(config: Config, answer: Mapping[str, Any]) -> str:
    metric, plain = answer["metric"], numbers.plain
    lines = [
        f"- Before (baseline of the run): {plain(answer['baseline_metric'])}",
        f"- After (retained by the run): {plain(answer['retained_metric'])}",
    ]
    if metric["measured"] is None:
        lines.append(f"- **Not measured again on this branch**: {escaped(metric['reason'])}")
    else:
        ends = metric["interval"]
        spread = f", between {plain(ends[0])} and {plain(ends[1])}" if ends else ""
        base = f", {plain(metric['base_measured'])} on its base" if metric["base_measured"] is not None else ""
        runs = f"{metric['runs']} run{'s' if metric['runs'] > 1 else ''}"
        lines.append(
            f"- Measured again on a clean checkout of this branch: {plain(metric['measured'])}{spread}{base} "
            f"({runs}; {escaped(metric['reason'])})"
        )
    if "total" in answer:
        lines.append(f"- The whole run: {escaped(answer['total']['message'], 600)}")
    for check, command in (("guard", config.guard), ("confirm", config.confirm)):
        if command:
            state = "passes" if answer[check] == "pass" else "**could not be run**"
            what = "Guard" if check == "guard" else "Held-out check"
            lines.append(f"- {what} on a clean checkout of this branch: {state}")
    where = "what the run changed" if answer["base_moved"] else "the whole tree"
    if answer.get("pruned"):
        said = answer["pruned"]
        lines.append(f"- {escaped(said[0].upper() + said[1:])}, measured against all that was kept.")
    less = " without what was left out" if answer.get("left_out") else ""
    lines.append(f"- Content: {where} equals what the run retained{less}, compared by Git object.")
    return "\n".join(lines)


def _how(config: Config, header: Mapping[str, str]) -> str:
    noise = config.noise
    if not config.measured:
        rule = "The numbers of the run were reported; the branch and its base were measured again, see above."
    elif noise.get("kind") == "noisy":
        rule = (
            f"The number is noisy (spread {noise.get('spread')} over {len(noise.get('samples', ()))} baseline runs). "
            f"Candidates were kept by interleaved runs against the retained state, at an error rate of {config.alpha}."
        )
    else:
        rule = "The number repeats exactly; a candidate was kept when it was better than the retained state."
    machine = escaped(header.get("environment", ""))
    return rule + (f"\n\nMachine: {machine}" if machine else "")


def _table(kept: Sequence[Kept]) -> str:
    rows = [
        f"| {item.iteration} | {escaped(item.description)} | {change(item.before, item.after)} | {item.guard} | "
        f"{escaped(item.hypothesis)} |"
        for item in kept
    ]
    return "\n".join(["| # | change | before and after | guard | hypothesis |", "|--:|---|---|---|---|", *rows])


def _repeat(config: Config, answer: Mapping[str, Any]) -> str:
    lines = [f"git switch --detach {answer['base']}", config.verify, f"git switch {answer['branch']}", config.verify]
    return shown("\n".join(filter(None, [*lines, config.guard])))

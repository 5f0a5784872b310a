"""One run of a check where the setting `executor` says: the port `measure`.

local           in this machine's worktree
slurm [FLAGS]   as a step of a Slurm job; FLAGS are those of salloc, such as `slurm -p gpu --gres=gpu:1`
a template      any program, its words with `{command}` (the check) and `{worktree}`, or with `{far}`

A template runs without a shell of ours. Programs that hand their words to a shell of their own (`ssh`, `sky`, or a
template with `&&`) get the check as one quoted word. `{command}` needs the worktree under the same path over there;
`{far}` needs nothing there but git: it is a script that takes the content as a bundle on stdin, checks it out in a git
worktree of its own, runs the check in it, and takes the worktree away. What git does not hold is not there.
What a program with a shell of its own has started over there ends with the connection (`lifeline`).
"""

from __future__ import annotations

import shlex
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.text import listing
from ..kernel.run.measure import Bench
from ..kernel.system import process
from . import bundles, lifeline, slurm

_SHELLS = ("ssh", "sky")
_OPERATORS = ("&&", "||", ";", "|")


def run(bench: Bench, command: str, limit: float) -> process.Finished:
    """Run a check to its end, at most `limit` seconds; raises `Refusal` for an executor that is none."""
    words = shlex.split(bench.config.executor)
    if words[:1] == ["slurm"]:
        return slurm.run(bench, command, limit, words[1:])
    if "{far}" in words:
        with bundles.made(bench.tree, bench.mark) as bundle:
            line = [bundle.script(command) if word == "{far}" else word for word in words]
            return _started(bench, f"{shlex.join(line)} < {shlex.quote(str(bundle.path))}", limit)
    return _started(bench, shlex.join(filled(words, bench.tree, command)), limit)


def _started(bench: Bench, line: str, limit: float) -> process.Finished:
    return process.run_shell(line, bench.tree, limit, {}, bench.mark, process.Limits(within=bench.within))


def filled(words: list[str], tree: Path, command: str) -> list[str]:
    """The template's words with the check in them."""
    if "{command}" not in words:
        raise Refusal(
            f"the executor {listing(words, 3)} runs no check, expected local, slurm, or a template with the word "
            "{command} or {far}; correct --executor"
        )
    whole = ["/bin/sh", "-c", command]
    if Path(words[0]).name in _SHELLS or any(word in _OPERATORS for word in words):
        whole = [shlex.join(["/bin/sh", "-c", lifeline.held(command)])]
    line: list[str] = []
    for word in words:
        line += whole if word == "{command}" else [word.replace("{worktree}", str(tree))]
    return line

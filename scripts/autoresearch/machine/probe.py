"""What there is to work with: machine, tools, container, sandbox, Codex. Nothing goes out to the network."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..kernel import ports
from ..kernel.core.errors import Refusal
from ..kernel.disk import atomic
from ..kernel.system.ask import ask_all
from ..kernel.system.git import GitError, Repo
from . import limits
from .accelerators import accelerators

__all__ = ["environment", "free_mb", "summary"]
free_mb = atomic.free_mb
_TOOLS = (
    "python3",
    "node",
    "npm",
    "pnpm",
    "yarn",
    "cargo",
    "java",
    "javac",
    "gcc",
    "clang",
    "cmake",
    "make",
    "dotnet",
    "ruby",
    "php",
    "swift",
    "docker",
)
_SPECIAL = {"go": ("go", "version"), "java": ("java", "-version"), "javac": ("javac", "-version")}
_LIMIT = 2.0  # seconds for all version questions, which run side by side


def environment(root: Path, network: bool) -> dict[str, Any]:
    """The machine as seen from the project `root`, as plain JSON values; sizes in MiB.

    `network` says whether searching the web is allowed; it is reported, never tried out.
    """
    total, available = limits.memory_mb()
    codex = _codex()
    asked = {"codex": (codex, "--version")} if codex else {}
    tools = {**{tool: (tool, "--version") for tool in _TOOLS}, **_SPECIAL, **asked}
    said = _versions({} if _is_home_in(root) else tools)  # rustup and others write there to tell their version
    codex_version = said.pop("codex", "")
    return {
        "cpu_count": limits.cpu_count(),
        "ram_mb": total,
        "ram_available_mb": available,
        "disk_free_mb": free_mb(root),
        "accelerators": accelerators(),
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "toolchains": said,
        "container": limits.container(),
        "network": _network(network),
        "codex": {"path": codex, "version": codex_version},
        "sandbox": _sandbox(root),
    }


def _is_home_in(root: Path) -> bool:
    return Path(os.path.realpath(os.path.expanduser("~"))).is_relative_to(os.path.realpath(root))


def line(root: Path) -> str:
    """The header's environment line; nothing goes out to the network."""
    return summary(environment(root, network=False))


def summary(env: Mapping[str, Any]) -> str:
    """The one-line form of `environment` for the log's header."""
    gpus = ["{}x{}".format(a["count"], re.sub(r"\s+", "-", a["name"])) for a in env["accelerators"]]
    python = ".".join(env["python"].split(".")[:2])
    return (
        f"cpu={env['cpu_count']} ram={env['ram_mb']}MB gpu={'+'.join(gpus) or 'none'} "
        f"python={python} container={env['container']}"
    )


def _versions(questions: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {name: _line(text) for name, text in ask_all(questions, _LIMIT).items()}


def _line(text: str) -> str:
    """The first line that holds a digit, printable and bounded: that is where programs put their version."""
    lines = [line for line in text.splitlines() if re.search(r"\d", line)] or text.splitlines()
    return "".join(c for c in lines[0] if c.isprintable())[:100]


def _network(allowed: bool) -> dict[str, Any]:
    cut = os.environ.get("CODEX_SANDBOX_NETWORK_DISABLED", "") not in ("", "0")
    policy = "disabled by the sandbox" if cut else "not probed"
    return {"policy": policy, "search_allowed": allowed and not cut}


def _codex() -> str:
    """The CLI on PATH or the one that we run inside, "" for none."""
    usual = ports.first("session", "agent")
    try:
        return str(usual.find(os.environ.get("AUTORESEARCH_CODEX_BIN", ""))) if usual else ""
    except Refusal:
        return ""


def _sandbox(root: Path) -> dict[str, Any]:
    """What the Codex sandbox says of itself, and whether commits are possible (None outside git)."""
    said = {key: value[:100] for key, value in os.environ.items() if key.startswith("CODEX_SANDBOX")}
    try:
        writable: bool | None = os.access(Repo(root).common_dir(), os.W_OK)
    except GitError:
        writable = None
    return {"variables": said, "git_writable": writable}

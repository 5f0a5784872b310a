"""A project of a few files, the real entry script, and the real tools; a tool that is not here skips its cases."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Callable

import pytest

from tests.conftest import Ran, Repo

# rustup finds its toolchains from the home of whoever installed it, which tests do not see.
_CARGO = Path(shutil.which("rustup") or Path.home() / ".cargo/bin/rustup").parents[1]
RUST = {"RUSTUP_HOME": str(_CARGO.with_name(".rustup")), "CARGO_HOME": str(_CARGO)} if _CARGO.name == ".cargo" else {}


def need(*programs: str) -> None:
    """Skip where a program is missing: CI has Python's and Node's tools, other languages' only where they are."""
    for name in programs:
        if not shutil.which(name):
            pytest.skip(f"needs {name}, which is not here")


def link_node_modules(repo: Repo, program: str) -> None:
    """Give the project the node_modules that hold a program."""
    found = Path(os.path.realpath(shutil.which(program) or os.sep))
    modules = next(folder for folder in found.parents if folder.name == "node_modules")
    (repo.path / "node_modules").symlink_to(modules)


@pytest.fixture
def check(repo: Repo, run_script: Callable[..., Ran]) -> Callable[..., Ran]:
    """Return `check(kind, *args)`, which runs the real script in the test's repository."""

    def run(*args: object) -> Ran:
        return run_script("check", *args, cwd=repo.path, env=RUST if shutil.which("cargo") else {})

    return run


def metrics(ran: Ran) -> dict[str, str]:
    """The METRIC lines; a run that failed fails the test."""
    assert ran.code == 0, ran.err
    return dict(re.findall(r"^METRIC (\S+)=(\S+)$", ran.out, re.MULTILINE))


def findings(ran: Ran) -> list[str]:
    """The lines of findings."""
    return [line for line in ran.out.splitlines() if not line.startswith(("METRIC ", "# "))]

"""HEAD in a shipped check is the commit of the start."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import pytest
from autoresearch.cli import pinned

from tests.conftest import SCRIPTS
from tests.lab import Lab

CHECK = "python3 /skill/scripts/autoresearch_check.py"


@pytest.mark.parametrize(
    ("command", "is_pinned"),
    [
        (f"{CHECK} interface pkg --against HEAD --at-most 0", True),
        (f"{CHECK} interface pkg --against=HEAD", True),
        (f"{CHECK} interface pkg --against '@'", True),
        (f"cd pkg && {CHECK} interface . --against HEAD", True),
        (f"{CHECK} interface pkg --against HEADER", False),
        (f"{CHECK} interface pkg --against HEAD~1", False),
        (f"{CHECK} interface pkg; compare --against HEAD", False),
        ("./mine --against HEAD", False),
        ("git diff --exit-code HEAD -- data", False),
    ],
)
def test_only_the_head_of_a_shipped_check_is_pinned(lab: Lab, command: str, is_pinned: bool):
    args = argparse.Namespace(verify=command, guard=[command, "true"], confirm=None)
    pinned.pin(args, lab.path)
    head = lab.repo.git("rev-parse", "HEAD").strip()[:12]
    assert (head in args.verify, args.guard[1]) == (is_pinned, "true")
    assert args.guard[0] == args.verify and (is_pinned or args.verify == command)
    assert not is_pinned or ("HEAD" not in args.verify and "@" not in args.verify)


def test_without_a_commit_nothing_is_pinned(tmp_path: Path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    args = argparse.Namespace(verify=f"{CHECK} interface . --against HEAD", guard=[])
    pinned.pin(args, tmp_path)
    assert args.verify.endswith("HEAD")


def test_a_guard_on_the_interface_holds_what_the_start_had(lab: Lab):
    lab.repo.write("src/work.py", "def one():\n    return 1\n\n\ndef two():\n    return 2\n")
    lab.value(100)
    lab.repo.commit("two functions")
    guard = f"python3 {SCRIPTS / 'autoresearch_check.py'} interface src --against HEAD --at-most 0"
    lab.init(guard=guard)
    lab.value(99)
    lab.repo.write("src/work.py", "def one():\n    return 1\n")
    answer = lab.trial()
    assert answer["status"] == "discard" and "two is gone" in str(answer)

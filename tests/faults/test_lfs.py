"""A repository whose large files are kept by Git LFS: kept, undone, cleaned up after, and its objects brought back."""

from __future__ import annotations

import shutil

import pytest

from tests.lab import Lab

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="needs git-lfs")
MORE = b"\0" * 70_000


@pytest.fixture
def lfs(lab: Lab) -> Lab:
    """A run in such a repository; the check reads the large file."""
    lab.repo.git("lfs", "install", "--local")
    lab.repo.git("lfs", "track", "*.bin")
    (lab.path / "src/data.bin").write_bytes(b"10\n" + MORE)
    lab.repo.commit("data")
    assert lab.repo.git("show", "HEAD:src/data.bin").startswith("version https://git-lfs")
    lab.init(verify="if test -e ../arm; then rm ../arm; $(cat ../act); fi; head -1 src/data.bin")
    return lab


def tried(lab: Lab, value: int) -> str:
    (lab.path / "src/data.bin").write_bytes(b"%d\n" % value + MORE)
    return str(lab.trial()["status"])


def shown(lab: Lab) -> bytes:
    return (lab.path / "src/data.bin").read_bytes()


@pytest.mark.parametrize("policy", ["revert", "reset"])
def test_kept_and_undone(lab: Lab, lfs: Lab, policy: str):
    if policy == "reset":
        lab.repo.git("switch", "-qc", "autoresearch/x")
        lab.init("--force", "--rollback-policy", "reset", verify="head -1 src/data.bin")
    assert tried(lab, 8) == "keep"
    assert tried(lab, 12) == "discard"
    assert (shown(lab), lab.repo.status()) == (b"8\n" + MORE, "")
    assert lab.repo.git("show", "HEAD:src/data.bin").startswith("version https://git-lfs")
    lab.repo.git("lfs", "fsck")
    assert lab.call("finalize", "--branch", "done").code == 0


@pytest.mark.parametrize("act", ["rm -rf .git/lfs", "rm -rf .git", "git lfs uninstall --local"])
def test_what_a_check_does_to_it(lab: Lab, lfs: Lab, act: str):
    (lab.path.parent / "act").write_text(act)
    (lab.path.parent / "arm").touch()
    assert tried(lab, 8) == ("keep" if "uninstall" in act else "crash")
    assert tried(lab, 7) == "keep"
    assert tried(lab, 20) == "discard"
    assert (shown(lab), lab.repo.status()) == (b"7\n" + MORE, "")

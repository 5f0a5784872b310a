"""A pipe, a device or a socket where git opens a file: one line that names it, before, during and after a trial."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.lab import Lab, armed, refused

DEEP = ("src/.gitignore", "src/deep/.gitattributes", "new/.gitignore", ".git/logs/HEAD")
SUB = (".git/modules/src/sub/HEAD", ".git/modules/src/sub/info/exclude")


def piped(path: Path) -> None:
    """A pipe in place of what is there."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize("name", DEEP)
def test_one_anywhere_is_named_and_the_run_goes_on_without_it(lab: Lab, name: str):
    lab.repo.write("src/deep/kept", "")
    lab.repo.commit("deep")
    lab.init()
    piped(lab.path / name)
    lab.value(9)
    before = lab.repo.read("research-results.tsv")
    refused(lab.try_out(), f"{name} is a pipe")
    assert lab.repo.read("research-results.tsv") == before
    (lab.path / name).unlink()
    assert lab.trial()["status"] == "keep"


@pytest.mark.parametrize("command", ["scout", "environment", "doctor", "finalize", "init_run"])
def test_every_command_that_asks_git_names_it(lab: Lab, command: str):
    lab.init()
    piped(lab.path / "src/.gitignore")
    flags = {"finalize": ("--branch", "b"), "init_run": ("--as-rehearsed", "--force")}.get(command, ())
    ran = lab.call(command, *flags)
    assert ran.code == 0 or "is a pipe" in refused(ran) or "dry run" in ran.err


@pytest.mark.parametrize("name", SUB)
def test_one_in_the_git_folder_of_a_submodule(lab: Lab, name: str):
    other = lab.path.parent / "other"
    other.mkdir()
    inner = Lab(type(lab.repo)(other), lab.run_script)
    inner.repo.git("init", "-q")
    inner.repo.write("x", "x\n")
    inner.repo.commit("start")
    lab.repo.git("-c", "protocol.file.allow=always", "submodule", "-q", "add", str(other), "src/sub")
    lab.repo.commit("sub")
    lab.init()
    aside = lab.path.parent / "aside"
    if (lab.path / name).exists():
        (lab.path / name).rename(aside)
    piped(lab.path / name)
    refused(lab.try_out(), f"{name} is a pipe")
    (lab.path / name).unlink()
    if aside.exists():
        aside.rename(lab.path / name)
    assert lab.trial(9)["status"] == "keep"


@pytest.mark.parametrize("key", ["core.excludesFile", "core.attributesFile", "include.path"])
def test_one_that_the_settings_name(lab: Lab, sealed: Path, key: str):
    lab.init()
    os.mkfifo(sealed / "pipe")
    lab.repo.git("config", "--global", key, str(sealed / "pipe"))
    refused(lab.try_out(), "pipe is a pipe")


@pytest.mark.parametrize("name", ["config", "HEAD", "index", "packed-refs", "info/exclude", "refs/tags/x", "commondir"])
def test_one_that_a_check_makes_in_git_is_taken_away(lab: Lab, name: str):
    lab.repo.git("tag", "x")
    armed(lab, f"rm -f .git/{name}; mkfifo .git/{name}")
    answer = lab.trial(8)
    assert (answer["status"], lab.repo.read("src/value"), lab.repo.status()) == ("crash", "10\n", "")
    assert lab.repo.git("rev-parse", "x")
    assert lab.trial(7)["status"] == "keep"


def test_one_that_a_check_makes_among_the_files_is_named(lab: Lab):
    armed(lab, "mkdir build; mkfifo build/.gitignore; echo x > build/out")
    lab.value(8)
    refused(lab.try_out(), "build/.gitignore is a pipe")
    refused(lab.try_out(), "build/.gitignore is a pipe")
    (lab.path / "build/.gitignore").unlink()
    refused(lab.try_out(), "build/out")  # what else it left lies outside the scope
    shutil.rmtree(lab.path / "build")
    assert lab.trial()["status"] == "keep"


@pytest.mark.parametrize("kind", ["socket", "/dev/zero", "/dev/tty"])
def test_sockets_and_devices(lab: Lab, kind: str, monkeypatch: pytest.MonkeyPatch):
    lab.init()
    exclude = lab.path / ".git/info/exclude"
    exclude.unlink()
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as made, monkeypatch.context() as there:
            there.chdir(exclude.parent)
            made.bind(exclude.name)
    else:
        exclude.symlink_to(kind)
    refused(lab.try_out(), "info/exclude is a pipe, socket or device")
    exclude.unlink()
    assert lab.trial(9)["status"] == "keep"

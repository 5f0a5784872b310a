"""Modules and crates that are not here are told by reading; what works without them is told too."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Callable

import pytest
from autoresearch.scout import fetched, surroundings

from tests.conftest import Ran, Repo

MOD = """\
module x.y/a

go 1.18

require example.org/Used v1.2.0
require (
\texample.org/intest v0.1.0
\texample.org/deep v0.1.0 // indirect
\texample.org/local v0.0.0
)

replace example.org/local => ./local
"""
GO = {
    "go.mod": MOD,
    "a.go": 'package a\n\nimport (\n\t"fmt"\n\tu "example.org/Used/inner"\n)\n',
    "a_test.go": 'package a\n\nimport "example.org/intest"\n',
    "plain/p.go": 'package plain\n\nimport "example.org/local"\n\nvar P = local.L\n',
    "local/go.mod": "module example.org/local\n",
    "local/l.go": "package local\n\nvar L = 1\n",
    "gen/g.go": "//go:build ignore\n\npackage main\n",
    "near/n.go": 'package near\n\nimport "x.y/a"\n',
}
CARGO = """\
[package]
name = "a"
[dependencies]
serde = { version = "1", features = ["derive"] }
near = { path = "../near" }
shared.workspace = true
odd = { package = "real", version = "2" }
[dependencies.heavy]
version = "3"
[dev-dependencies]
quick = "1"
[target.'cfg(unix)'.dependencies]
libc = "0.2"
"""


@pytest.fixture
def look(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., fetched.Fetched]:
    """Return `look(files, there)`: what is missing, with these modules and crates on the machine."""

    def run(files: dict[str, str], there: tuple[str, ...] = ()) -> fetched.Fetched:
        monkeypatch.setenv("GOMODCACHE", str(tmp_path / "go"))
        monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo"))
        for name in there:
            (tmp_path / name).mkdir(parents=True)
        for path, text in files.items():
            repo.write(path, text)
        repo.git("add", "-A")
        return fetched.of(surroundings.look(repo.path))

    return run


def test_go_modules_that_are_not_here(look: Callable[..., fetched.Fetched]):
    found = look(GO)
    assert (found.program, found.tests) == (("example.org/Used",), ("example.org/intest",))
    assert found.free == ("./plain",) and "go vet of ./plain, duplicates work" in found.note
    found = look(GO, ("go/example.org/!used@v1.2.0",))
    assert (found.program, found.tests, found.free) == ((), ("example.org/intest",), ("./plain",)), "and not ./near"
    assert "for tests alone" in found.note and "gobench of a call" in found.note
    assert look({"go.mod": MOD.replace("go 1.18", "go 1.16")}).free == ()
    assert look({"vendor/modules.txt": ""}) == fetched.Fetched()


def test_crates_that_are_not_here(look: Callable[..., fetched.Fetched]):
    found = look({"Cargo.toml": CARGO, "src/lib.rs": ""})
    assert set(found.program) == {"serde", "real", "heavy", "libc"} and found.tests == ("quick",)
    assert found.command.startswith("echo Cargo.lock >> ") and found.command.endswith("&& cargo fetch")
    cached = [f"cargo/registry/cache/x/{name}-1.0.0.crate" for name in ("serde", "real", "heavy", "libc")]
    found = look({"Cargo.lock": ""}, tuple(cached))
    assert (found.program, found.tests, found.command) == ((), ("quick",), "cargo fetch")
    assert look({".cargo/config.toml": 'replace-with = "v"\n'}) == fetched.Fetched()


def test_nothing_is_fetched_by_a_look(repo: Repo, run_script: Callable[..., Ran], tmp_path: Path):
    for path, text in GO.items():
        repo.write(path, text)
    repo.commit("project")
    env = {"GOMODCACHE": str(tmp_path / "go"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    out = run_script("scout", "--repo", repo.path, "--goal", "go vet complains", "--measure", env=env).out
    assert out.startswith("MISSING: the modules that go.mod names for the tests, the guard.") and len(out) <= 3600
    assert "INSTALL is: go mod download\n" in out and "verify: CHECK govet ./plain" in out
    assert not shutil.which("go") or "1. findings, lower is better: 0 now" in out
    assert not (tmp_path / "go").exists() and "CHECK golangci" not in out
    repo.write(".golangci.yml", "")
    repo.commit("settings")
    out = run_script("scout", "--repo", repo.path, "--goal", "lint", env=env).out
    assert "INSTALL is: install" not in out and "verify: CHECK g" in out

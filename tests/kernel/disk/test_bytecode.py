"""Cached bytecode: forgotten, or handed back to the content it belongs to."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest
from autoresearch.kernel.disk import bytecode


def test_bytecode_of_named_files_alone_is_forgotten(tmp_path: Path):
    cache = tmp_path / "__pycache__"
    for name in ("a.py", "ab.py", "[a].py"):
        (tmp_path / name).write_text("x = 1\n")
        py_compile.compile(str(tmp_path / name), cfile=str(cache / f"{name[:-3]}.cpython-311.pyc"))
    bytecode.forget(tmp_path, ["[a].py", "none.py", "a.txt"])
    assert sorted(item.name for item in cache.iterdir()) == ["a.cpython-311.pyc", "ab.cpython-311.pyc"]
    bytecode.forget(tmp_path, ["a.py"])
    assert [item.name for item in cache.iterdir()] == ["ab.cpython-311.pyc"]


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    """Return the cache of `a.py` for this interpreter; there is none yet."""
    return tmp_path / "__pycache__" / f"a.{sys.implementation.cache_tag}.pyc"


def show(folder: Path, text: str, seconds: int) -> None:
    (folder / "a.py").write_text(text)
    os.utime(folder / "a.py", (seconds, seconds))


def run(folder: Path) -> str:
    """What an interpreter of its own finds in the module."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-c", "import a; print(a.x)"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout.strip()


def test_each_content_gets_its_own_bytecode_back(tmp_path: Path, cached: Path):
    turns = bytecode.Turns()
    show(tmp_path, "x = 1\n", 1_000_000_000)
    py_compile.compile(str(tmp_path / "a.py"), cfile=str(cached))
    turns.leave(True, tmp_path, ["a.py"])
    assert not cached.exists()
    show(tmp_path, "x = 2\n", 1_000_000_000)  # same size, same second: only the absent cache tells them apart
    turns.enter(False, tmp_path)
    assert not cached.exists()
    py_compile.compile(str(tmp_path / "a.py"), cfile=str(cached))
    turns.leave(False, tmp_path, ["a.py"])
    show(tmp_path, "x = 1\n", 1_000_000_007)
    turns.enter(True, tmp_path)
    assert cached.exists()
    kept = cached.stat().st_mtime_ns
    assert run(tmp_path) == "1"
    assert cached.stat().st_mtime_ns == kept  # read, not compiled again


@pytest.mark.parametrize("case", ["stale", "by hash", "torn"])
def test_bytecode_that_is_not_known_to_fit_is_not_kept(tmp_path: Path, cached: Path, case: str):
    show(tmp_path, "x = 1\n", 1_000_000_000)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH if case == "by hash" else None
    py_compile.compile(str(tmp_path / "a.py"), cfile=str(cached), invalidation_mode=mode)
    if case == "stale":
        show(tmp_path, "x = 1\n", 1_000_000_009)
    if case == "torn":
        cached.write_bytes(cached.read_bytes()[:9])
    turns = bytecode.Turns()
    turns.leave(True, tmp_path, ["a.py"])
    turns.enter(True, tmp_path)
    assert not cached.exists()


def test_bytecode_that_is_kept_elsewhere_is_forgotten_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere, source = tmp_path / "cache", tmp_path / "project" / "value.py"
    source.parent.mkdir()
    source.write_text("print(1)")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(elsewhere))
    subprocess.run([sys.executable, "-c", "import value"], cwd=source.parent, check=True)
    assert list(elsewhere.rglob("value.*.pyc"))
    bytecode.forget(source.parent, ["value.py"])
    assert not list(elsewhere.rglob("value.*.pyc"))

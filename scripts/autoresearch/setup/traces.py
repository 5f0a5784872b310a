"""What programs that run tests leave beside the code for their next run: taken away again after a look or a dry run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Caches and data of test runners, type checkers and linters of Python and JavaScript; none is anybody's work.
_FOLDERS = frozenset(
    (".benchmarks", ".pytest_cache", ".hypothesis", ".mypy_cache", ".ruff_cache", ".pytype", ".nyc_output",
     "__pycache__", ".testmondata", "htmlcov", ".swc", ".vitest-attachments", ".turbo", ".wireit", ".tap", ".nx",
     ".vite", ".vitest", ".rollup.cache", ".rpt2_cache", ".parcel-cache")
)  # fmt: skip
_FILES = re.compile(
    r"\.coverage(?:\..+)?|\.testmondata\S*|\.eslintcache|coverage\.(?:xml|json|lcov)|junit\.xml|\S+\.tsbuildinfo"
)
_EMPTY = re.compile(r".*\.(?:sqlite3?|db)")  # where it has no byte: what a server opened and nobody filled
_SKIPPED = frozenset((".git", ".hg", "node_modules", ".venv", "venv", "env", ".tox", ".nox", "target", "vendor"))
_MADE = ("target", "coverage")
_REPORTS = frozenset(("lcov.info", "coverage-final.json", "clover.xml", "coverage-summary.json"))
_SETTINGS = ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini")
_NAMED = re.compile(r"--(?:junit-?xml|html|benchmark-json|report-log|cov-report[= ]\w+)[=: ]([\w./-]+)")  # by pytest
_MOST = 20000  # folders that are looked into


@contextmanager
def swept(root: Path) -> Iterator[None]:
    """Around checks: what appears of such traces meanwhile goes; what was there before, or git tracks, stays.

    A Cargo.lock that git does not hold and cargo wrote just now is one of them.
    """
    before = set(_traces(root))
    try:
        yield
    finally:
        for path in filter(_is_trace, set(_traces(root)) - before):
            _remove(path)


def _traces(root: Path) -> Iterator[str]:
    settings = "".join(path.read_text("utf-8", "replace") for n in _SETTINGS if (path := root / n).is_file())
    named = (os.path.normpath(root / name) for name in _NAMED.findall(settings))
    yield from (path for path in named if os.path.exists(path) and path.startswith(f"{root}{os.sep}"))
    for number, (folder, names, files) in enumerate(os.walk(root)):
        if number > _MOST:
            return
        yield from (os.path.join(folder, name) for name in names if name in _FOLDERS or name in _MADE)
        yield from (os.path.join(folder, name) for name in files if name == "Cargo.lock" and "Cargo.toml" in files)
        paths = {os.path.join(folder, name): name for name in files}
        yield from (path for path, name in paths.items() if _FILES.fullmatch(name) or _is_empty(path, name))
        names[:] = [name for name in names if name not in _FOLDERS and name not in _SKIPPED]


def _is_trace(path: str) -> bool:
    """Whether a folder of a common name is what cargo builds in, beside its manifest, or holds reports of coverage."""
    folder, name = os.path.split(path)
    if name == "target":
        return os.path.exists(os.path.join(folder, "Cargo.toml")) and os.path.exists(os.path.join(path, "CACHEDIR.TAG"))
    return name != "coverage" or not _REPORTS.isdisjoint(os.listdir(path))


def _is_empty(path: str, name: str) -> bool:
    return _EMPTY.fullmatch(name) is not None and os.path.isfile(path) and not os.path.getsize(path)


def _remove(path: str) -> None:
    import shutil
    from contextlib import suppress

    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        os.unlink(path)

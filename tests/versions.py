"""The tests of the real Codex CLI on several of its versions: `python3 -m tests.versions [VERSION …]`. Not in CI.

Each version is installed in a folder of its own (`--into`, kept for the next time); then `tests/codex` runs on it. The
result is the table of docs/codex-versions.md, printed; with `--write` it is put there, below what the page says.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from tests.__main__ import ROOT

VERSIONS = ("0.150.1", "0.160.1", "0.168.0", "0.171.0")
PAGE = ROOT / "docs" / "codex-versions.md"
MARK = "<!-- python3 -m tests.versions --write -->\n"


@dataclass(frozen=True)
class Result:
    """How the tests fared on one version: counts, and the names of those that failed."""

    version: str
    passed: int
    skipped: int
    failed: tuple[str, ...]


def installed(version: str, folder: Path) -> Path:
    """The program of one version, fetched by npm where it is not there yet."""
    program = folder / version / "node_modules" / ".bin" / "codex"
    if not program.exists():
        quiet = ("--no-audit", "--no-fund", "--no-save", "--loglevel=error")
        command = ("npm", "install", "--prefix", str(folder / version), *quiet, f"@openai/codex@{version}")
        subprocess.run(command, check=True)
    return program


def tried(version: str, program: Path, wanted: list[str]) -> Result:
    """Run the tests on one version; a failure is tried once more alone, for a busy machine is no fault of a version."""
    found = _run(program, wanted)
    failed = tuple(name for name in found.failed if _run(program, [name]).failed)
    return Result(version, found.passed + len(found.failed) - len(failed), found.skipped, failed)


def _run(program: Path, wanted: list[str]) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        flags = ("-q", "-p", "no:cacheprovider", "-n", "0", f"--junitxml={report}", "-o", "junit_family=xunit1")
        env = {**os.environ, "AUTORESEARCH_CODEX_BIN": str(program)}
        subprocess.run([sys.executable, "-m", "pytest", *flags, *wanted], cwd=ROOT, env=env, check=False)
        cases = list(ET.parse(report).getroot().iter("testcase"))
    failed = tuple(_name(c) for c in cases if c.find("failure") is not None or c.find("error") is not None)
    skipped = sum(case.find("skipped") is not None for case in cases)
    return Result("", len(cases) - len(failed) - skipped, skipped, failed)


def _name(case: ET.Element) -> str:
    return f"{case.get('file')}::{case.get('name')}"


def table(results: list[Result]) -> str:
    """The results as a table of Markdown."""
    lines = ["| Codex CLI | Passed | Failed | Which |", "| --- | --- | --- | --- |"]
    for result in results:
        names = ", ".join(f"`{name.rpartition('::')[2]}`" for name in result.failed)
        lines.append(f"| {result.version} | {result.passed} | {len(result.failed)} | {names or '-'} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Exit 0 when every test passed on the newest version."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("versions", nargs="*", default=list(VERSIONS))
    parser.add_argument("--into", type=Path, default=ROOT / ".venv-tests" / "versions", help="where they are installed")
    parser.add_argument("--tests", nargs="+", default=["tests/codex"])
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.relative_to(ROOT)}")
    args = parser.parse_args()
    results = [tried(version, installed(version, args.into), args.tests) for version in args.versions]
    text = table(results)
    print(text)
    if args.write:
        PAGE.write_text(PAGE.read_text().partition(MARK)[0] + MARK + "\n" + text)
    return 1 if results[-1].failed else 0


if __name__ == "__main__":
    sys.exit(main())

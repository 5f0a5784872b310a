"""Functions fit on a screen, entry scripts are a door and no more, documents are what they are said to be."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, SCRIPTS
from tests.house.source import Function, entry_scripts, functions, modules, project_files

ENTRY = '''\
#!/usr/bin/env python3
"""{doc}"""

import os
import sys

sys.dont_write_bytecode = True  # the skill's folder is never written to
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # not there under PYTHONSAFEPATH
from autoresearch.cli import main

sys.exit(main("{home}.{name}"))
'''
# A path that begins with a folder of one machine, after a space, a quote or a bracket.
MACHINE_PATH = re.compile(r"""(?:^|[\s"'`(=:\[<])/(?:work|root)(?![\w-])""", re.MULTILINE)


def length(function: Function) -> int:
    """Lines from `def` to the last one, docstring included."""
    return (function.end_lineno or 0) - function.lineno + 1


def parameters(function: Function) -> int:
    """How many parameters a caller faces: without self and cls, `*args` and `**kwargs` as one each."""
    spec = function.args
    named = [arg.arg for arg in [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]]
    return len(named) - (named[:1] in (["self"], ["cls"])) + bool(spec.vararg) + bool(spec.kwarg)


def test_no_function_is_longer_than_a_screen():
    assert [module.at(node) for module, node in functions() if length(node) > 40] == []


def test_most_functions_are_short():
    lengths = sorted(length(node) for _, node in functions())
    assert statistics.median(lengths) <= 8
    assert lengths[len(lengths) * 95 // 100] <= 25


def test_no_function_has_more_than_six_parameters():
    assert [module.at(node) for module, node in functions() if parameters(node) > 6] == []


@pytest.mark.parametrize("script", entry_scripts(), ids=lambda path: path.stem)
def test_entry_scripts_are_all_of_one_shape(script: Path):
    text = script.read_text(encoding="utf-8")
    name = script.stem.replace("autoresearch_", "", 1)
    (home,) = [module.room for module in modules() if module.parts[-1] == f"{name}_command.py"]
    assert text == ENTRY.format(doc=text.split('"""')[1], home=home, name=name)
    assert script.stat().st_mode & 0o111, "is to be executable"


@pytest.mark.parametrize("script", entry_scripts(), ids=lambda path: path.stem)
def test_entry_scripts_answer_from_any_directory(script: Path, run_script, tmp_path: Path):
    ran = run_script(script.stem.replace("autoresearch_", "", 1), "--help", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "usage:" in ran.out


@pytest.mark.parametrize("flags", [("-P",), ("-I", "-S")], ids=" ".join)
def test_a_script_finds_its_package_where_python_does_not_look_beside_it(flags: tuple[str, ...], tmp_path: Path):
    if sys.version_info < (3, 11) and "-P" in flags:
        pytest.skip("-P (PYTHONSAFEPATH) is new in 3.11")
    link = tmp_path / "decide.py"
    link.symlink_to(SCRIPTS / "autoresearch_decision.py")
    ran = subprocess.run([sys.executable, *flags, link, "--help"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_feature_has_its_tests_in_the_folder_of_its_name():
    folders = {module.room for module in modules()} - {"", "system"}  # the earlier name of `machine`
    assert [name for name in sorted(folders) if not list((ROOT / "tests" / name).rglob("test_*.py"))] == []


def test_there_is_one_skill():
    assert [path for path in project_files() if path.name.lower() == "skill.md"] == [ROOT / "SKILL.md"]


def test_no_file_speaks_of_one_machine():
    wrong = []
    for path in project_files():
        text = path.read_bytes().decode("utf-8", "replace")
        wrong += [f"{path.relative_to(ROOT)}: {found[0].strip()}" for found in MACHINE_PATH.finditer(text)]
    assert wrong == []

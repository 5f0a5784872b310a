"""What the doctor mends in Codex's settings, over prepared homes: it works, is repeatable, and leaves Codex working."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from autoresearch.codex import codex_agent, codex_home, settings_edit, toml_text
from autoresearch.doctor import mending
from autoresearch.hooks import hooks_file
from autoresearch.kernel.core.errors import Refusal

from tests.conftest import HANG, Repo, require

OTHER = '[projects."/elsewhere"]\ntrust_level = "untrusted"\n'
BEFORE = [
    "",
    'model = "m"\n',
    "# only a remark",
    'model = "m"\n\n[features]\nhooks = true\n',
    OTHER,
    "[[notes]]\na = 1\n",
]
PLAIN = ("nothing", "untrusted", "trusted", "literal", "empty")
# How a home tells of the project, "{p}" in its place.
TOLD = {
    "nothing": "",
    "untrusted": '[projects."{p}"]\ntrust_level = "untrusted"\n',
    "trusted": '[projects."{p}"]\ntrust_level = "trusted"\n',
    "literal": "[projects.'{p}']\ntrust_level = 'untrusted'\nmore = 1",
    "empty": '[ projects . "{p}" ] # mine\n\n',
    "inline": '[projects]\n"/o" = { trust_level = "untrusted" }\n"{p}" = { trust_level = "untrusted" } # x\n',
    "dotted": "[projects]\n'{p}'.trust_level = 'untrusted'\n",
    "one line": 'projects = { "/o" = { trust_level = "untrusted" }, "{p}" = { trust_level = "untrusted" } }\n',
}
# Forms that are tried alone: what decides is the form, not what stands before it.
ALONE = {
    "others in one line": 'projects = { "/o" = { trust_level = "untrusted" } } # x\n',
    "none in one line": "projects = {}\n",
    "marked": '\ufeff[projects."{p}"]\ntrust_level = "untrusted"\n',
    "windows": '[projects."{p}"]\r\ntrust_level = "untrusted"\r\n[x]\r\na = 1\r\n',
    "a text like a table": 'text = """\n[projects."{p}"]\ntrust_level = "untrusted"\n"""\n',
    "a quoted key": '["projects"."{p}"]\n"trust_level" = "untrusted" # mine\n',
    "a text of three quotes": '[projects."{p}"]\ntrust_level = """untrusted"""\n',
    "a pair without trust": '[projects]\n"{p}" = { more = 1 }\n',
    "a table below": '[projects."{p}".more]\na = 1\n',
    "windows, nothing": 'model = "m"\r\n[x]\r\na = 1\r\n',
    "a project below first": '[projects]\n"{p}/x" = { trust_level = "untrusted" }\n"{p}" = {trust_level="untrusted"}\n',
}
# Forms that no line tells by itself.
PARSED = {
    "long": 'projects = {\n  "/o" = { trust_level = "untrusted", }, # of TOML 1.1\n  "{p}" = { more = 1, },\n}\n',
    "escapes": '[projects."{u}"]\ntrust_level = "untrusted"\n',
    "none, all in one line": 'projects = { "{p}" = { more = 1 }, "/o" = { trust_level = "untrusted" } }\n',
    "lists between": '[projects."{p}"]\nlist = [\n["a"],\n]\ntrust_level = "untrusted"\n',
    "a text between": '[projects."{p}"]\nt = """\n[x]\ntrust_level = "untrusted"\n"""\ntrust_level = "untrusted"\n',
    "a text over lines": '[projects."{p}"]\ntrust_level = """\nuntrusted"""\n',
}
HOMES = [(before, name) for before in BEFORE for name in TOLD if before != OTHER or name in PLAIN]
TWICE = '[projects."/o"]\ntrust_level = "untrusted"\n'
UNCLEAR = ["broken = [\n", TWICE * 2, "a = 1\na = 2\n", "a = {b = 1}\n[a.c]\n", 'a = "x\n']


@pytest.fixture(params=[False, True], ids=["this Python", "without a parser"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read settings as this Python does, and as one before 3.11."""
    if request.param:
        monkeypatch.setitem(sys.modules, "tomllib", None)


def write(text: str) -> Path:
    path = codex_home.config_path()
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def starts(home: Path) -> bool:
    """Whether the real CLI reads its settings."""
    done = subprocess.run([require("codex"), "features", "list"], capture_output=True, cwd=home, timeout=HANG)
    return done.returncode == 0


@pytest.mark.parametrize("told", ALONE)
def test_trust_is_added_to_settings_of_an_unusual_form(repo: Repo, told: str):
    path = codex_home.config_path()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(ALONE[told].replace("{p}", str(repo.path)).encode())
    assert mending.mend(repo.path, "trust")["changed"]
    after = path.read_bytes()
    assert not mending.mend(repo.path, "trust")["changed"] and path.read_bytes() == after
    assert after.startswith("\ufeff".encode()) == (told == "marked")
    settings, problem = codex_home.settings()
    assert problem == "" and codex_home.trusts(settings, repo.path) and not codex_home.trusts(settings, Path("/o"))
    assert told != "windows, nothing" or after.count(b"\r\n") == after.count(b"\n")


@pytest.mark.parametrize("told", PARSED)
def test_trust_is_added_wherever_it_is_told(repo: Repo, reader: None, told: str):
    escaped = str(repo.path).replace("/", "\\u002f")
    write(PARSED[told].replace("{p}", str(repo.path)).replace("{u}", escaped))
    before = toml_text.parse(codex_home.config_path().read_text())
    assert mending.mend(repo.path, "trust")["changed"] and not mending.mend(repo.path, "trust")["changed"]
    after = toml_text.parse(codex_home.config_path().read_text())
    before["projects"][str(repo.path)]["trust_level"] = "trusted"
    assert after == before


@pytest.mark.parametrize(("before", "told"), HOMES)
def test_trust_is_mended_in_many_homes(repo: Repo, before: str, told: str):
    start = before + ("\n" if before and not before.endswith("\n") else "") + TOLD[told].replace("{p}", str(repo.path))
    path = write(start)
    first, again = mending.mend(repo.path, "trust"), mending.mend(repo.path, "trust")
    assert (first["changed"], again["changed"]) == (told != "trusted", False)
    settings, problem = codex_home.settings()
    assert problem == "" and codex_home.trusts(settings, repo.path)
    assert not codex_home.trusts(settings, Path("/o")) and not codex_home.trusts(settings, Path("/elsewhere"))
    kept = [line for line in start.split("\n") if "trust_level" not in line]
    assert all(line in path.read_text().split("\n") for line in kept)


def test_trust_is_mended_where_codex_never_ran(repo: Repo):
    assert mending.mend(repo.path, "trust")["changed"]
    assert codex_home.trusts(codex_home.settings()[0], repo.path)


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_is_not_understood_is_left_as_it_is(repo: Repo, reader: None, text: str):
    path = write(text)
    with pytest.raises(Refusal, match=r"config\.toml"):
        mending.mend(repo.path, "trust")
    assert path.read_text() == text and not mending.can(repo.path, "trust")


LISTS = [
    "z = [\n[1],\n  [2],\n]\n[y]\na = 1\n",
    'text = """\n[x]\n# autoresearch: begin\n"""\n',
    "# autoresearch: begin\nmodel = 'm'\n",
    'model = "m"\r\n\r\n[x]\r\na = 1\r\n',
]


@pytest.mark.parametrize("before", [*BEFORE, *LISTS])
def test_the_permission_profile_comes_and_goes(repo: Repo, before: str):
    path = write("")
    path.write_bytes(before.encode())
    assert mending.mend(repo.path, "permissions")["changed"]
    assert not mending.mend(repo.path, "permissions")["changed"]
    found = toml_text.parse(path.read_text())
    assert found["default_permissions"] == "autoresearch"
    assert found["permissions"]["autoresearch"]["filesystem"][":workspace_roots"] == {".git": "write"}
    mending.mend(repo.path, "no-permissions")
    assert path.read_bytes().decode().rstrip("\n") == before.rstrip("\n")


def test_permissions_that_are_settled_are_left_alone(repo: Repo):
    write('sandbox_mode = "workspace-write"\n')
    with pytest.raises(Refusal, match="sets sandbox_mode already"):
        mending.mend(repo.path, "permissions")


@pytest.mark.parametrize(
    "own",
    [
        '[permissions.autoresearch]\nextends = ":read-only"\n',
        'permissions = { mine = { extends = ":workspace" } }\n',
    ],
)
def test_permissions_of_the_users_are_left_alone(repo: Repo, reader: None, own: str):
    path = write(own)
    with pytest.raises(Refusal, match="other permissions"):
        mending.mend(repo.path, "permissions")
    assert path.read_text() == own and not mending.can(repo.path, "permissions")


def test_a_profile_that_was_moved_is_not_said_to_be_gone(repo: Repo):
    mending.mend(repo.path, "permissions")
    path = codex_home.config_path()
    for end in ("\r\n", ""):  # an editor's line ends, and none at the end
        path.write_bytes(path.read_text().rstrip().replace("\n", end or "\n").encode())
        mending.mend(repo.path, "no-permissions")
        assert "permissions" not in path.read_text()
        mending.mend(repo.path, "permissions")
    text = "".join(line for line in path.read_text().splitlines(True) if not line.startswith("#"))
    path.write_text(text)
    with pytest.raises(Refusal, match="outside of the lines"):
        mending.mend(repo.path, "no-permissions")
    assert path.read_text() == text


SKILL = "codex-autoresearch"
OFF = {
    "a table": f'[[skills.config]]\nname = "{SKILL}"\nenabled = false # for now\n',
    "windows": f'[[skills.config]]\r\nname = "{SKILL}"\r\nenabled = false\r\n[x]\r\na = 1\r\n',
    "quoted": f"[[skills.config]]\n'enabled'=false\n\"name\" = '{SKILL}'\n",
    "twice": f'[[skills.config]]\nname = "{SKILL}"\nenabled = false\n' * 2,
    "a text like it": f'x = """\n[[skills.config]]\nname = "{SKILL}"\nenabled = false\n"""\n'
    f'[[skills.config]]\nname = "{SKILL}"\nenabled = false\n',
    "other features off": f'[[skills.config]]\nname = "o"\nenabled = false\n[[skills.config]]\nname = "{SKILL}"\n'
    "enabled = false\n[analytics]\nenabled = false\n",
}
OFF_IN_A_LIST = {
    "a list": f'[skills]\nconfig = [\n{{name = "o", enabled = false}},\n{{enabled = false, name = "{SKILL}"}},\n]\n',
    "a line": f'skills.config = [{{ name = "{SKILL}", enabled = false }}]\n',
    "lists within": f'[[skills.config]]\nname = "{SKILL}"\ntags = [\n["a"],\n]\nenabled = false\n',
}


@pytest.mark.parametrize("told", [*OFF, *OFF_IN_A_LIST])
def test_the_skill_is_switched_on_however_it_is_off(repo: Repo, reader: None, told: str):
    path = write("")
    text = {**OFF, **OFF_IN_A_LIST}[told]
    path.write_bytes(text.encode())
    assert settings_edit.disabled(codex_home.settings()[0], {SKILL})
    assert mending.mend(repo.path, "skill")["changed"] and not mending.mend(repo.path, "skill")["changed"]
    after = path.read_bytes().decode()
    assert not settings_edit.disabled(codex_home.settings()[0], {SKILL})
    assert after.replace("true", "false") == text and after.count("true") == (2 if told == "twice" else 1)


def test_codex_starts_after_every_mending(repo: Repo, sealed: Path):
    for told in ("nothing", "untrusted", "literal", "inline", "one line"):
        write('model = "gpt-5.5"\n' + TOLD[told].replace("{p}", str(repo.path)))
        for what in ("trust", "permissions", "no-permissions"):
            mending.mend(repo.path, what)
            assert starts(sealed), (told, what, codex_home.config_path().read_text())


def test_a_linked_worktree_is_trusted_as_its_checkout(repo: Repo):
    repo.git("worktree", "add", "--quiet", "../linked")
    write(settings_edit.trusting("", str(repo.path)))
    assert codex_home.trusts(codex_home.settings()[0], repo.path.parent / "linked")
    assert not codex_home.trusts(codex_home.settings()[0], repo.path.parent)
    write(
        settings_edit.trusting("", str(repo.path))
        + f'[projects."{repo.path.parent / "linked"}"]\ntrust_level = "untrusted"\n'
    )
    assert not codex_home.trusts(codex_home.settings()[0], repo.path.parent / "linked"), "the nearest decides"


def test_hooks_that_are_switched_off_are_told(repo: Repo):
    write(settings_edit.trusting("", str(repo.path)))
    hooks_file.install(repo.path, "project")
    path = hooks_file.path_of(repo.path, "project")
    with codex_home.config_path().open("a") as file:
        file.write(f'[hooks.state."{path}:stop:0:0"]\nenabled = false\n')
    status = hooks_file.status(repo.path, "project")
    assert (status["active"], status["hooks"]["Stop"]) == (False, "switched off")
    assert "switched off" in status["message"]


def test_codex_is_found_from_inside_codex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUTORESEARCH_CODEX_BIN", "")  # what is found is handed on by it
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal, match="codex_exec_unavailable"):
        codex_agent.find("")
    program = tmp_path / "package" / "bin" / "codex.js"
    program.parent.mkdir(parents=True)
    program.write_text("#!/usr/bin/env node\n")
    program.chmod(0o755)
    monkeypatch.setenv("CODEX_MANAGED_PACKAGE_ROOT", str(tmp_path / "package"))
    with pytest.raises(Refusal):  # its script needs node, which is lost with PATH
        codex_agent.find("")
    (tmp_path / "node").symlink_to("/bin/sh")
    assert codex_agent.find("") == os.fspath(program)
    with pytest.raises(Refusal):
        codex_agent.find("/no/such/codex")

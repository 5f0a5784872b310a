"""What a session may do by the settings in force, the user's and the project's: each case is as the real CLI has it
(`tests.doctor.homes` tries many of them)."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.codex import codex_home, settings_edit, toml_text
from autoresearch.doctor import diagnosis, mending
from autoresearch.doctor import diagnosis_rules as rules
from autoresearch.hooks import hooks_file
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.disk.layout import standard

from tests.conftest import Repo

MINE = 'default_permissions = "mine"\n'
GRANT = '":workspace_roots" = { ".git" = "write" }\n'
BASE = f'[permissions.base]\nextends = ":workspace"\n[permissions.base.filesystem]\n{GRANT}'
ROOTS = '[sandbox_workspace_write]\nwritable_roots = ["/r/.git"]\n'
# Settings, the sandbox that they amount to, and whether .git may be written in it.
CASES = {
    "nothing": ("", "", False),
    "a mode": ('sandbox_mode = "workspace-write"\n', "workspace-write", False),
    "a built-in profile": ('default_permissions = ":read-only"\n', "read-only", False),
    "roots": (ROOTS, "", True),
    "roots beside a profile": ('default_permissions = ":workspace"\n' + ROOTS, "workspace", False),
    "roots around it": (ROOTS.replace("/r/.git", "/r"), "", False),
    "a profile": (MINE + BASE.replace("base", "mine"), "workspace", True),
    "a profile of a profile": (MINE + BASE + '[permissions.mine]\nextends = "base"\n', "workspace", True),
    "taken back": (
        MINE + BASE + '[permissions.mine]\nextends = "base"\n[permissions.mine.filesystem]\n'
        '":workspace_roots" = { ".git" = "read" }\n',
        *("workspace", False),
    ),
    "its path": (
        MINE + '[permissions.mine]\nextends = ":workspace"\n[permissions.mine.filesystem]\n"/r/.git" = "write"\n',
        *("workspace", True),
    ),
    "without a base, reading": (MINE + '[permissions.mine.filesystem]\n":root" = "read"\n', "read-only", False),
    "without a base, the workspace": (
        MINE + '[permissions.mine.filesystem]\n":root" = "read"\n":workspace_roots" = "write"\n',
        *("workspace-write", False),
    ),
    "without a base, everything": (
        MINE + '[permissions.mine.filesystem]\n":root" = "write"\n',
        "danger-full-access",
        False,
    ),
    "in a circle": (MINE + '[permissions.mine]\nextends = "mine"\n', "mine", False),
}


@pytest.mark.parametrize("name", CASES)
def test_the_sandbox_and_git_in_it(name: str):
    text, sandbox, granted = CASES[name]
    for reader in (toml_text.parse, toml_text.lenient):
        found = reader(text)
        assert (codex_home.sandbox(found), codex_home.grants_git(found, ("/r/.git",), True)) == (sandbox, granted)
        both = ("/r/.git", "/r/.git/worktrees/x")
        assert not codex_home.grants_git(found, both, False), "a linked worktree needs both"


def project(repo: Repo, text: str, level: str = "trusted") -> None:
    """The settings of the project, and what the user's say of it."""
    repo.write(".codex/config.toml", text)
    path = codex_home.config_path()
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'[projects."{repo.path}"]\ntrust_level = "{level}"\n')


def test_a_trusted_project_has_a_say(repo: Repo):
    project(repo, 'sandbox_mode = "danger-full-access"\n[features]\nhooks = false\n')
    seen = codex_home.in_force(codex_home.settings()[0], repo.path)
    assert codex_home.sandbox(seen) == "danger-full-access" and not codex_home.runs_hooks(seen)
    project(repo, 'sandbox_mode = "danger-full-access"\n', "untrusted")
    assert codex_home.sandbox(codex_home.in_force(codex_home.settings()[0], repo.path)) == ""


def test_hooks_that_the_project_switches_off_are_switched_on_there(repo: Repo):
    project(repo, "[features]\nhooks = false\n")
    hooks_file.install(repo.path, "project")
    found = {item.what: item.fix for item in rules.findings("hooks", diagnosis._hooks(standard(repo.path)))}
    assert found["hooks are switched off in Codex altogether"].endswith(f"in {repo.path}/.codex/config.toml")


@pytest.mark.parametrize("own", [False, True])
def test_what_a_profile_would_put_out_of_force_is_left(repo: Repo, own: bool):
    table = "[sandbox_workspace_write]\nnetwork_access = true\n"
    project(repo, table if own else "")
    if not own:
        codex_home.config_path().write_text(table)
    with pytest.raises(Refusal, match="sets sandbox_workspace_write already"):
        mending.mend(repo.path, "permissions")


def test_where_git_lies_elsewhere_no_profile_is_offered(repo: Repo):
    repo.git("init", "--quiet", "--separate-git-dir", "../gitdir")
    with pytest.raises(Refusal, match="lies elsewhere"):
        mending.mend(repo.path, "permissions")
    found = toml_text.parse(MINE + BASE.replace("base", "mine"))
    elsewhere = (str(repo.path.parent / "gitdir"),)
    assert diagnosis._is_confined(found, "trusted", elsewhere, False)
    assert not diagnosis._is_confined(found, "trusted", (str(repo.path / ".git"),), True)


def test_a_home_that_is_the_project(repo: Repo, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CODEX_HOME", str(repo.path / ".codex"))
    assert mending.mend(repo.path, "permissions")["changed"]
    assert not mending.mend(repo.path, "permissions")["changed"]
    assert mending.mend(repo.path, "no-permissions")["changed"]


NAME = "codex-autoresearch"
OFF, ON = (f'[[skills.config]]\nname = "{NAME}"\nenabled = {word}\n' for word in ("false", "true"))


def test_the_last_word_on_the_skill_counts():
    for text, off in ((OFF + ON, False), (ON + OFF, True), (OFF.replace(NAME, "o") + ON, False), (OFF + OFF, True)):
        assert settings_edit.disabled(toml_text.parse(text), {NAME}) == off
        after = settings_edit.enabling(text, {NAME})
        assert not settings_edit.disabled(toml_text.parse(after), {NAME}) and (off or after == text)


def test_a_skill_goes_by_its_path_below_the_home_too(sealed: Path):
    assert "~/.agents/skills/x/SKILL.md" in codex_home.skill_names("x", [str(sealed / ".agents" / "skills" / "x")])


# Texts that a reader of lines gets wrong, with what they tell; None: they are no TOML.
TOML: dict[str, object] = {
    'a = { b = 1, c = { d = [1, 2, { e = "}" }] } }': {"a": {"b": 1, "c": {"d": [1, 2, {"e": "}"}]}}},
    'p = { "/o" = { t = "u", n = 1 }, "/p" = { t = "v" } }': {"p": {"/o": {"t": "u", "n": 1}, "/p": {"t": "v"}}},
    'a = [\n["x"], # ]\n]\n[t]\nb.c = 1\nb.d = true': {"a": [["x"]], "t": {"b": {"c": 1, "d": True}}},
    "a = '''\n[t]\nb = 1'''\nc = \"\"\"x\\\n  y\"\"\"": {"a": "[t]\nb = 1", "c": "xy"},
    '[[h]]\na = 0x1F\n[[h]]\na = "\\u0041\\t"\n[h.i]\nb = -1.5e3': {
        "h": [{"a": 31}, {"a": "A\t", "i": {"b": -1500.0}}]
    },
    '"a b".\'c\' = 1_000 # x\r\n[ d . "e.f" ]\r\n': {"a b": {"c": 1000}, "d": {"e.f": {}}},
    "[a]\n[a]": None,
    "a.b = 1\n[a]": None,
    "a = 01": None,
    'a = "b" c': None,
    "a = { b = 1": None,
    "x = []\n[[x]]": None,
}


@pytest.mark.parametrize("text", TOML)
def test_our_own_reader_reads_what_a_parser_does(text: str):
    ours, theirs = toml_text.TomlReader(text), TOML[text]
    if theirs is None:
        with pytest.raises(ValueError, match="at line"):
            ours.read()
        with pytest.raises(ValueError, match="at line"):
            toml_text.parse(text)
    else:
        assert ours.read() == toml_text.parse(text) == theirs
    assert toml_text.lenient("first = 1\n" + text)["first"] == 1

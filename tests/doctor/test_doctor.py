"""`doctor` in an environment that is sound, then broken on purpose, one thing at a time."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
from autoresearch.codex import settings_edit, skill_file, toml_text
from autoresearch.doctor import diagnosis_rules as rules
from autoresearch.hooks import hook_entries

from tests.conftest import ROOT, Ran, Repo

NAME = "codex-autoresearch"


@dataclass
class Ward:
    """A repository in which a run could start: Codex found, signed in and trusting, the skill visible once."""

    repo: Repo
    home: Path
    run_script: Callable[..., Ran]
    monkeypatch: pytest.MonkeyPatch

    def settings(self, text: str = "", trust: str = "trusted") -> None:
        """Write Codex's config.toml; where it says nothing of a sandbox, one that may commit."""
        text = text if "sandbox_mode" in text else settings_edit.with_profile(text, {})
        project = f'\n[projects."{self.repo.path}"]\ntrust_level = "{trust}"\n'
        (self.home / ".codex" / "config.toml").write_text(text + project)

    def program(self, name: str, script: str) -> None:
        """Put a program in front of PATH."""
        target = self.home / "bin" / name
        target.write_text(f"#!/bin/sh\n{script}\n")
        target.chmod(0o755)

    def codex(self, version: str = "0.171.0", starts: str = "true") -> None:
        """A CLI of a version, signed in where its file is there, that starts or says why not."""
        self.program(
            "codex",
            f"case $1 in login) test -e ~/.codex/auth.json;; features) {starts};; *) echo codex-cli {version};; esac",
        )

    def ran(self, *flags: str) -> Ran:
        return self.run_script("doctor", "--repo", self.repo.path, *flags)

    def findings(self, *flags: str) -> dict[tuple[str, str], dict[str, Any]]:
        """What is not ok, by severity and area."""
        ran = self.ran(*flags)
        answer = ran.json
        assert ran.code == (1 if answer["decision"] == "block" else 0)
        assert all(bool(item["fix"]) == (item["severity"] != "ok") for item in answer["findings"])
        return {(f["severity"], f["area"]): f for f in answer["findings"] if f["severity"] != "ok"}

    def only(self, severity: str, area: str, *flags: str) -> str:
        """The one finding there is, as text with its fix."""
        found = self.findings(*flags)
        assert list(found) == [(severity, area)], found
        item = found[severity, area]
        return f"{item['what']} => {item['fix']}"


@pytest.fixture
def ward(repo: Repo, sealed: Path, run_script, monkeypatch: pytest.MonkeyPatch) -> Ward:
    (sealed / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{sealed / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (sealed / ".codex").mkdir()
    (sealed / ".codex" / "auth.json").write_text("{}")
    skills = sealed / ".agents" / "skills"
    skills.mkdir(parents=True)
    (skills / NAME).symlink_to(ROOT)
    made = Ward(repo, sealed, run_script, monkeypatch)
    made.settings()
    made.codex()
    return made


def repeated(told: str) -> None:
    """Run a finding's fix twice, from a folder that is not the project's."""
    for _ in range(2):
        subprocess.run(told.partition(" => ")[2], shell=True, check=True, cwd="/", capture_output=True)


def lesser(ward: Ward, where: Path, text: str = "") -> Path:
    """A second skill file in a folder."""
    where.mkdir(parents=True)
    (where / "SKILL.md").write_text(text or f"---\nname: {NAME}\ndescription: another\n---\n")
    return where


def test_a_sound_place_has_nothing_to_mend_and_is_left_as_it_was(ward: Ward):
    before = sorted(str(path) for path in ward.repo.path.rglob("*"))
    ran = ward.ran()
    assert ran.code == 0 and ran.json["decision"] == "ok", ran.out
    assert [item["area"] for item in ran.json["findings"]] == list(rules.RULES)[:-1]
    assert sorted(str(path) for path in ward.repo.path.rglob("*")) == before


def test_text_has_one_fix_below_each_finding(ward: Ward):
    (ward.home / ".codex" / "auth.json").unlink()
    ran = ward.ran("--format", "text")
    assert "block  codex      Codex is not signed in\n                  fix: codex login\n" in ran.out
    assert ran.out.endswith("\n1 block, 0 warn, 7 ok\n")


def test_scratch_folders_of_killed_commands_are_named(ward: Ward):
    left = ward.home / "tmp" / "autoresearch-scratch-finalize-4194305-x"
    left.mkdir()
    told = ward.only("warn", "artifacts")
    assert told.endswith(f"rm -rf {left}")
    repeated(told)
    assert ward.findings() == {}


def test_an_old_python3(ward: Ward):
    ward.program("python3", "echo 3.8.10")
    assert "python3 is 3.8.10, 3.9 or newer is needed" in ward.only("block", "python")


def test_no_git_and_an_old_one(ward: Ward):
    ward.program("git", 'case "$*" in --version) echo git version 2.20.1;; *) PATH=${PATH#*:} exec git "$@";; esac')
    assert "git is 2.20.1, 2.26 or newer" in ward.only("block", "git")


def test_no_repository(ward: Ward, tmp_path: Path):
    (tmp_path / "plain").mkdir()
    ward.repo = Repo(tmp_path / "plain")
    ward.settings()
    assert ward.only("block", "git").endswith(f"=> git -C {tmp_path}/plain init")


def test_no_commit_yet(ward: Ward, tmp_path: Path):
    ward.repo = Repo(tmp_path / "young")
    ward.repo.path.mkdir()
    ward.repo.git("init", "--quiet")
    ward.settings()
    told = ward.only("block", "git")
    assert "there is no commit yet" in told
    repeated(told)
    assert ward.findings() == {} and ward.repo.git("rev-list", "--count", "HEAD") == "1"


def test_a_broken_repository(ward: Ward):
    (ward.repo.path / ".git" / "index").write_text("torn")
    assert "git fails here" in ward.findings()["block", "git"]["what"]


def test_no_identity(ward: Ward):
    ward.monkeypatch.delenv("GIT_COMMITTER_NAME")
    assert "git config --global user.name" in ward.only("warn", "git")
    ward.repo.git("config", "user.name", "Somebody")
    assert ward.findings() == {}


@pytest.mark.parametrize("configured", [False, True])
def test_hooks_of_git(ward: Ward, configured: bool):
    folder = ward.repo.path / ("mine" if configured else ".git/hooks")
    folder.mkdir(exist_ok=True)
    (folder / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    if configured:
        ward.repo.git("config", "core.hooksPath", "mine")
    assert ward.findings() == {}, "one that is not executable never runs"
    (folder / "pre-commit").chmod(0o755)
    assert "hooks (pre-commit) do not run on experiments" in ward.only("warn", "git")


def test_signing(ward: Ward):
    ward.repo.git("config", "commit.gpgSign", "true")
    assert "experiments are not signed" in ward.only("warn", "git")


def test_an_unfinished_merge_and_a_lock(ward: Ward):
    (ward.repo.path / ".git" / "MERGE_HEAD").write_text(ward.repo.git("rev-parse", "HEAD"))
    assert "an operation is unfinished (MERGE_HEAD)" in ward.only("block", "git")
    (ward.repo.path / ".git" / "MERGE_HEAD").unlink()
    (ward.repo.path / ".git" / "index.lock").touch()
    assert "index.lock exists" in ward.only("warn", "git")


def test_no_codex(ward: Ward):
    ward.monkeypatch.setenv("AUTORESEARCH_CODEX_BIN", "no-such-codex")
    assert "npm install" in ward.only("block", "codex")
    ward.monkeypatch.setenv("CODEX_THREAD_ID", "01a2")
    assert "this session works, background and exec runs do not" in ward.only("warn", "codex")


def test_a_codex_that_says_nothing(ward: Ward):
    ward.program("codex", "exit 0")
    assert "codex --version says nothing" in ward.only("warn", "codex")
    ward.program("codex", "exit 3")
    assert "bin/codex does not run" in ward.only("block", "codex")
    ward.program("codex", "")
    (ward.home / "bin" / "codex").write_text("#!/no/such/program\n")
    assert "bin/codex does not run" in ward.only("block", "codex")


def test_not_signed_in(ward: Ward):
    (ward.home / ".codex" / "auth.json").unlink()
    assert ward.only("block", "codex") == "Codex is not signed in => codex login"
    ward.monkeypatch.setenv("CODEX_API_KEY", "sk-1")
    assert ward.findings() == {}


def test_a_provider_with_a_key_of_its_own(ward: Ward):
    (ward.home / ".codex" / "auth.json").unlink()
    ward.settings('model_provider = "local"\n[model_providers.local]\nenv_key = "LOCAL_KEY"\n')
    assert ward.only("block", "codex").endswith("=> export LOCAL_KEY=…")
    ward.monkeypatch.setenv("LOCAL_KEY", "k")
    assert ward.findings() == {}


def test_sandbox_and_trust_of_the_project(ward: Ward):
    ward.settings('sandbox_mode = "read-only"\n')
    assert "no experiment can be made" in ward.only("warn", "codex")
    ward.settings(trust="untrusted")
    assert "marked as untrusted" in ward.only("warn", "codex")
    (ward.home / ".codex" / "config.toml").write_text("")
    assert "not known to Codex" in ward.only("warn", "codex") and "exec --trust" in ward.only("warn", "codex")
    ward.codex("0.168.0")
    assert "exec --trust" not in ward.only("warn", "codex")


def test_the_line_that_trusts_the_project_does_so(ward: Ward):
    (ward.home / ".codex" / "config.toml").unlink()
    for word in ("trust", "permissions"):  # what the second offers matters only in a project that is trusted
        line = ward.only("warn", "codex").partition(" => ")[2]
        assert line.endswith(f" --mend {word}")
        subprocess.run(line, shell=True, check=True, capture_output=True)
    assert ward.findings() == {}


def test_settings_that_codex_does_not_take(ward: Ward):
    said = (
        "Error: bad start",
        "",
        "Caused by:",
        "    invalid type: integer 5",
        "    in x",
        "",
        "Stack backtrace:",
        " 0: x",
    )
    (ward.home / "said").write_text("\n".join(said))
    ward.codex(starts="cat ~/said >&2; exit 1")
    told = ward.only("block", "codex")
    assert told.startswith("Codex does not start with its settings: bad start: invalid type: integer 5 in x => correct")
    assert told.endswith(str(ward.home / ".codex" / "config.toml"))
    ward.codex(starts=f"echo 'Error loading configuration: {ward.repo.path}/.codex/config.toml:1:9: bad' >&2; exit 1")
    assert ward.only("block", "codex").endswith(f"=> correct that in {ward.repo.path}/.codex/config.toml")


def test_the_skill_is_not_visible(ward: Ward):
    (ward.home / ".agents" / "skills" / NAME).unlink()
    line = ward.only("block", "skill").partition(" => ")[2]
    subprocess.run(line, shell=True, check=True)
    assert ward.findings() == {}, "the line that is given does mend it"


@pytest.mark.parametrize(
    "place",
    ["{repo}/.agents/skills/x", "{repo}/.codex/skills/x", "{home}/.codex/skills/a/b/x", "{home}/.agents/skills/y"],
)
def test_two_copies_of_one_name(ward: Ward, place: str):
    copy = lesser(ward, Path(place.format(repo=ward.repo.path, home=ward.home)))
    told = ward.only("block", "skill")
    assert "more than once" in told and "silently loads none" in told
    assert told.endswith(f" => test ! -e {copy} || mv {copy} ~/{NAME}.unused")
    subprocess.run(told.partition(" => ")[2], shell=True, check=True)
    assert ward.findings() == {}


def test_what_codex_does_not_see_is_no_copy(ward: Ward):
    root = ward.home / ".codex" / "skills"
    lesser(ward, root / ".hidden" / "x")
    lesser(ward, root / "a/b/c/d/e/f/g")
    lesser(ward, root / "other", "---\nname: other\ndescription: no\n---\n")
    (root / "link").mkdir()
    (root / "link" / "SKILL.md").symlink_to(root / "a/b/c/d/e/f/g" / "SKILL.md")
    (root / "again").symlink_to(ROOT)
    assert ward.findings() == {}


def test_a_copy_that_cannot_be_loaded(ward: Ward):
    lesser(ward, ward.home / ".codex" / "skills" / NAME, "no front matter\n")
    told = ward.only("warn", "skill")
    assert "has no front matter between two lines of ---" in told
    subprocess.run(told.partition(" => ")[2], shell=True, check=True)
    assert ward.findings() == {}


def test_the_skill_is_switched_off(ward: Ward):
    ward.settings(f'[[skills.config]]\nname = "{NAME}"\nenabled = false\n')
    told = ward.only("block", "skill")
    assert "is switched off" in told
    subprocess.run(told.partition(" => ")[2], shell=True, check=True, capture_output=True)
    assert ward.findings() == {}


def test_a_clone_within_the_repository(ward: Ward):
    (ward.home / ".agents" / "skills" / NAME).unlink()
    copy = lesser(ward, ward.repo.path / ".agents" / "skills" / NAME)
    Repo(copy).git("init", "--quiet")
    told = ward.only("warn", "skill")
    assert "git add -A would record it" in told
    repeated(told)
    assert ward.findings() == {}
    assert ward.repo.status() == ""


def test_a_clone_that_a_link_leads_to(ward: Ward):
    (ward.home / ".agents" / "skills" / NAME).unlink()
    Repo(lesser(ward, ward.repo.path / "tools" / "ar")).git("init", "--quiet")
    (ward.repo.path / ".agents" / "skills").mkdir(parents=True)
    (ward.repo.path / ".agents" / "skills" / NAME).symlink_to("../../tools/ar")
    told = ward.only("warn", "skill")
    assert told.startswith("tools/ar is a clone")
    repeated(told)
    assert ward.findings() == {}


def test_a_plugins_skill_that_is_switched_off(ward: Ward):
    (ward.home / ".agents" / "skills" / NAME).unlink()
    lesser(ward, ward.home / ".codex/plugins/cache/m" / NAME / "1/skills" / NAME)
    plugin = f'[plugins."{NAME}@m"]\nenabled = true\n'
    file = ward.home / ".codex/plugins/cache/m" / NAME / "1/skills" / NAME / "SKILL.md"
    for key, value in (("name", f"{NAME}:{NAME}"), ("path", file)):
        ward.settings(f'{plugin}[[skills.config]]\n{key} = "{value}"\nenabled = false\n')
        told = ward.only("block", "skill")
        assert "is switched off" in told
        repeated(told)
        assert ward.findings() == {}
    ward.settings(f'{plugin}[[skills.config]]\nname = "{NAME}"\nenabled = false\n')
    assert ward.findings() == {}, "its name alone is another skill's"
    ward.settings(f"{plugin}[features]\nplugins = false\n")
    assert "cannot see" in ward.only("block", "skill")


def test_hooks_of_this_skill(ward: Ward, tmp_path: Path):
    script = tmp_path / "autoresearch_hooks_ctl.py"
    script.touch()
    path = ward.repo.path / ".codex" / "hooks.json"
    document = hook_entries.merged({}, "python3", str(script))
    ward.repo.write(".codex/hooks.json", json.dumps(document))
    assert "3 of 3 hooks are not trusted" in ward.only("warn", "hooks")
    events = {name: hook_entries.EVENTS[name][0] for name in hook_entries.EVENTS}
    prints = {n: hook_entries.fingerprint(n, document["hooks"][title][0]) for n, title in events.items()}
    noted = {n: f'[hooks.state."{path}:{n}:0:0"]\ntrusted_hash = "{value}"\n' for n, value in prints.items()}
    ward.settings("".join(noted.values()))
    assert ward.findings() == {}
    ward.settings("".join({**noted, "stop": noted["stop"].replace("sha256:", "sha256:0")}.values()))
    assert "1 of 3 hooks have changed" in ward.only("warn", "hooks")
    ward.settings("".join({**noted, "stop": noted["stop"] + "enabled = false\n"}.values()))
    assert "1 of 3 hooks are switched off" in ward.only("warn", "hooks")
    ward.settings("".join(noted.values()))
    script.unlink()
    assert f"a hook starts {script}, which is gone" in ward.only("warn", "hooks")
    ward.repo.write(".codex/hooks.json", "{")
    assert "cannot be read" in ward.only("warn", "hooks")


@pytest.mark.parametrize(
    ("version", "sandboxed", "severity"),
    [
        ("0.149.1", False, "warn"),
        ("0.150.1", False, ""),
        ("0.130.0", True, "block"),
        ("0.131.0", True, "warn"),
    ],
)
def test_the_version_of_codex(ward: Ward, version: str, sandboxed: bool, severity: str):
    ward.codex(version)
    if sandboxed:
        launch = {"version": 1, "mode": "loop", "config": {"execution_policy": "workspace_write"}}
        ward.repo.write("autoresearch-launch.json", json.dumps(launch))
    found = ward.findings()
    assert [key for key in found if key[1] == "codex"] == ([(severity, "codex")] if severity else [])


def test_a_sandbox_without_network(ward: Ward):
    ward.monkeypatch.setenv("CODEX_SANDBOX_NETWORK_DISABLED", "1")
    assert "has cut the network" in ward.only("warn", "sandbox")


def test_what_the_rules_say_where_a_test_cannot_go():
    read_only = rules.Sandbox(False, ("/r/.git", "/r/.git/worktrees/x y"), True, False)
    (found,) = rules.findings("sandbox", read_only)
    assert found.severity == "block"
    assert found.fix.startswith("start Codex with --add-dir /r/.git --add-dir '/r/.git/worktrees/x y'")
    assert [rules.findings("disk", rules.Disk(mb))[0].severity for mb in (499, 500, 1023, 1024)] == [
        "block", "warn", "warn", "ok",
    ]  # fmt: skip
    assert rules.findings("python", rules.Python(()))[0].severity == "block"
    assert rules.findings("git", rules.Git((), "/r"))[0].what == "there is no git on PATH"


@pytest.fixture
def run(ward: Ward, run_script) -> Ward:
    """A ward with a run in it."""
    ward.repo.write("n", "1\n")
    ward.repo.commit("n")
    flags = ("--goal", "g", "--scope", "n", "--metric-name", "n", "--direction", "lower", "--verify", "cat n")
    assert run_script("init_run", "--repo", ward.repo.path, *flags).code == 0
    return ward


def test_a_run_has_its_check_tried_twice(run: Ward):
    found = {item["area"]: item for item in run.ran().json["findings"]}
    assert found["verify"]["what"].startswith("1 and 1, the same twice, in ")
    assert found["artifacts"]["what"] == "the snapshot equals the fold of the log"


def test_artifacts_that_need_somebody(run: Ward):
    state = run.repo.path / "autoresearch-state.json"
    state.unlink()
    assert "--write-repaired-state" in run.only("warn", "artifacts")
    (run.repo.path / "research-results.tsv").write_text("torn")
    assert "the log cannot be read" in run.only("block", "artifacts")


def test_an_interrupted_trial_and_tracked_artifacts(run: Ward):
    (run.repo.path / "autoresearch-evidence" / "intent.json").write_text("{}")
    assert "a trial was interrupted" in run.only("warn", "artifacts")
    (run.repo.path / "autoresearch-evidence" / "intent.json").unlink()
    run.repo.git("add", "--force", "research-results.tsv")
    repeated(run.only("warn", "artifacts"))
    assert run.findings() == {}


def test_a_check_that_gives_no_number(ward: Ward):
    told = ward.only("block", "verify", "--verify", "echo none; exit 3")
    assert "verify gives no number: exit code 3" in told


def test_a_noisy_check(ward: Ward, run_script):
    (ward.home / "tick").write_text("0")
    noisy = "t=$(cat $HOME/tick); echo $((t + 1)) > $HOME/tick; echo $((t + 1))"
    assert "verify gives 1 and 2: it is noisy" in ward.only("warn", "verify", "--verify", noisy)
    flags = ("--goal", "g", "--scope", "README.md", "--metric-name", "n", "--direction", "lower", "--verify", noisy)
    assert run_script("init_run", "--repo", ward.repo.path, *flags).code == 0
    assert ward.findings() == {}, "a run that knows of it is fine"


def test_a_check_that_changes_tracked_files(ward: Ward):
    told = ward.only("warn", "verify", "--verify", "echo x >> README.md; echo 1")
    assert "changes files that Git tracks: README.md" in told


def test_a_slow_check_says_what_it_does(ward: Ward):
    assert "… trying verify, run 1 of 2: sleep 1.3; echo 1" in ward.ran("--verify", "sleep 1.3; echo 1").err
    check = rules.Check("make", ("1", "1"), seconds=61.0)
    assert rules.findings("verify", check)[0].what == "one run of verify takes 61 s"


@pytest.mark.parametrize("reader", [toml_text.parse, toml_text.lenient])
def test_settings_are_read_alike_with_and_without_a_parser(reader):
    text = (
        'model = "m" # c\nflag = true\nn = 3\n[a."b.c/d"]\nx = \'y\'\n'
        '[[s.config]]\nname = "one"\n[[s.config]]\nname = "two"\nenabled = false\n[e]\nf.g = "h"\n'
    )
    assert reader(text) == {
        "model": "m", "flag": True, "n": 3, "a": {"b.c/d": {"x": "y"}},
        "s": {"config": [{"name": "one"}, {"name": "two", "enabled": False}]}, "e": {"f": {"g": "h"}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "name", "problem"),
    [
        (b"---\nname: a\ndescription: d\n---\n", "a", ""),
        (b"---\r\nname: 'a'\r\ndescription: >\r\n  d\r\n---\r\n", "a", ""),
        (b"---\ndescription: d\n---\n", "folder", ""),
        (b"\xef\xbb\xbf---\nname: a\ndescription: d\n---\n", "folder", "begins with a byte order mark"),
        (b"---\nname: a\n---\n", "a", "has no description"),
        (b"---\nname: " + b"a" * 65 + b"\ndescription: d\n---\n", "a" * 65, "has a name of more than 64 characters"),
        (b"---\nname: a\n", "folder", "has no front matter between two lines of ---"),
        (b"\xff\xfe", "folder", "is not UTF-8"),
    ],
)
def test_front_matter(data: bytes, name: str, problem: str):
    skill = skill_file.read("/some/folder", data)
    assert (skill.name, skill.problem) == (name, problem)

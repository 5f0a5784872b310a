"""INSTALL.md to the letter: its own lines are run in a scratch project, and the real Codex says what it sees."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from tests.codex import replies, scripts
from tests.codex.conftest import CONFIG
from tests.codex.replies import Request
from tests.codex.server import Server
from tests.conftest import ROOT, Repo, require
from tests.docs import markdown
from tests.house.source import project_files

NAME = "codex-autoresearch"
# Stands in for the network: what the installer downloads comes from a file.
LOOPBACK = """
import urllib.request
real = urllib.request.urlopen
def urlopen(request):
    assert request.full_url == "https://codeload.github.com/OWNER/codex-autoresearch/zip/main"
    return real("file://{archive}")
urllib.request.urlopen = urlopen
"""


def blocks(title: str) -> list[str]:
    """The indented code blocks of one section."""
    section = markdown.read(ROOT / "INSTALL.md").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)


@dataclass(frozen=True)
class Newcomer:
    """A person with an empty home, Codex, an empty project, and this software's address as REPO."""

    home: Path
    project: Repo
    origin: Repo

    def shell(self, lines: str) -> str:
        """Run lines of INSTALL.md in the project and return their output; a failing one fails the test."""
        done = subprocess.run(["sh", "-ec", lines], cwd=self.project.path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listed(self) -> int:
        """How often Codex shows the skill to a model."""
        shown = json.loads(self.shell("codex debug prompt-input '$codex-autoresearch go'"))
        texts = [part.get("text", "") for item in shown for part in item.get("content", ())]
        return sum(line.startswith("- codex-autoresearch:") for text in texts for line in text.split("\n"))

    def doctor(self, folder: str) -> str:
        """What the section's check says about the skill, run from the copy in `folder`."""
        line = blocks("Check it")[0].replace(".agents/skills", folder)
        found = json.loads(self.shell(line.rstrip() + " --format json || test $? = 1"))["findings"]
        return " ".join(item["what"] for item in found if item["area"] == "skill")


@pytest.fixture
def newcomer(sealed: Path, make_repo: Callable[[str], Repo], monkeypatch: pytest.MonkeyPatch) -> Newcomer:
    bin_folder = sealed / "bin"
    bin_folder.mkdir()
    (bin_folder / "codex").symlink_to(require("codex"))
    monkeypatch.setenv("PATH", str(bin_folder), prepend=":")
    origin = make_repo("origin")
    for file in project_files():
        target = origin.path / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    origin.commit("the skill")
    monkeypatch.setenv("REPO", origin.path.as_uri())
    return Newcomer(sealed, make_repo("project"), origin)


def test_for_one_project_and_all_that_follows(newcomer: Newcomer):
    newcomer.shell(blocks("For one project")[0])
    assert newcomer.listed() == 1
    assert "visible once" in newcomer.doctor(".agents/skills")
    newcomer.project.git("add", "--all")
    assert newcomer.project.status() == ""

    update, _, hooks = blocks("Update, disable, remove")
    newest = newcomer.origin.commit("a newer one")
    newcomer.shell(update)
    assert newcomer.project.git("-C", ".agents/skills/codex-autoresearch", "rev-parse", "HEAD") == newest

    disable = markdown.read(ROOT / "INSTALL.md").partition("```toml\n")[2].partition("```")[0]
    settings = newcomer.home / ".codex" / "config.toml"
    settings.write_text(disable)
    assert newcomer.listed() == 0
    assert "switched off" in newcomer.doctor(".agents/skills")

    settings.unlink()
    newcomer.shell(hooks.replace("uninstall", "install"))
    newcomer.shell(hooks + "rm -rf .agents/skills/codex-autoresearch")
    assert newcomer.listed() == 0
    assert newcomer.project.status() == ""


def test_shared_with_a_team(newcomer: Newcomer):
    newcomer.shell(blocks("For one project")[1])
    newcomer.project.commit("the skill")
    assert ".agents/skills/codex-autoresearch/SKILL.md" in newcomer.project.git("ls-files").split("\n")
    assert newcomer.listed() == 1
    assert "visible once" in newcomer.doctor(".agents/skills")
    assert newcomer.project.status() == ""


def test_for_all_projects_and_a_second_copy(newcomer: Newcomer):
    newcomer.shell(blocks("For all your projects")[0])
    assert newcomer.listed() == 1
    assert "visible once" in newcomer.doctor("~/.agents/skills")
    newcomer.shell(blocks("For one project")[0])
    assert newcomer.listed() == 2
    assert "silently loads none" in newcomer.doctor("~/.agents/skills")


def install(newcomer: Newcomer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the installer's line, with a file in the network's place."""
    archive = tmp_path / "main.zip"
    newcomer.origin.git("archive", "--prefix=codex-autoresearch-main/", f"--output={archive}", "HEAD")
    (tmp_path / "sitecustomize.py").write_text(LOOPBACK.format(archive=archive))
    newcomer.shell("codex debug prompt-input x")  # the first start brings the installer
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    newcomer.shell(blocks("With Codex's skill installer")[1])
    monkeypatch.delenv("PYTHONPATH")


def test_with_the_skill_installer(newcomer: Newcomer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(newcomer, tmp_path, monkeypatch)
    assert newcomer.listed() == 1
    assert "visible once" in newcomer.doctor("~/.codex/skills")


def fresh_reader(server: Server, newcomer: Newcomer, mention: str, doctor: str) -> None:
    """From the page's check to a first experiment that is kept, in the sandbox that Codex has by itself."""
    settings = newcomer.home / ".codex" / "config.toml"  # stands for the sign-in of a person
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(CONFIG.format(port=server.port) + (settings.read_text() if settings.exists() else ""))
    newcomer.project.write("value", "10\n")
    newcomer.project.commit("value")
    check = blocks("Check it")[0].strip().replace(f".agents/skills/{NAME}/scripts/autoresearch_doctor.py", doctor)
    for _ in range(4):
        found = json.loads(newcomer.shell(f"{check} --format json || test $? = 1"))["findings"]
        fixes = [item["fix"] for item in found if item["severity"] != "ok" and "hooks" not in item["area"]]
        if not fixes:
            break
        newcomer.shell(fixes[0])
    assert not fixes, fixes
    outputs: list[str] = []

    def talk(request: Request) -> scripts.Talk[None]:
        skill = next(text for text in request.user_texts if text.startswith("<skill>"))
        place = re.search(r"<path>(.*)/SKILL.md</path>", skill)
        assert place and f"<name>{mention}</name>" in skill
        wish = "--goal less --scope value --metric-name value --direction lower --verify 'cat value'"
        for line in (f"init_run.py --repo . {wish}", "run_trial.py --repo . --description nine"):
            outputs.append((yield from scripts.run(f"python3 {place[1]}/scripts/autoresearch_{line}")))
            yield from scripts.run("echo 9 > value")
        yield replies.say("Nine.")

    server.play(talk)
    newcomer.shell(f"codex exec --json '${mention} make the value smaller' < /dev/null")
    log = newcomer.project.read("research-results.tsv").split("\n")
    assert [line.split("\t")[5] for line in log if line[:1].isdigit()] == ["baseline", "keep"], outputs


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.mark.codex
@pytest.mark.parametrize("form", ["clone", "installer", "plugin"])
def test_from_an_empty_home_to_the_first_experiment(
    form: str, newcomer: Newcomer, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mention, doctor = NAME, f".agents/skills/{NAME}/scripts/autoresearch_doctor.py"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    if form == "clone":
        newcomer.shell(blocks("For one project")[0])
    elif form == "installer":
        install(newcomer, tmp_path, monkeypatch)
        doctor = f"~/.codex/skills/{NAME}/scripts/autoresearch_doctor.py"
    else:
        newcomer.shell(f"git clone -q $REPO {tmp_path}/clone")
        newcomer.shell(f"cd {tmp_path}/clone\n{blocks('As a plugin of Codex')[0]}")
        mention = f"{NAME}:{NAME}"
        page = markdown.read(ROOT / "INSTALL.md")
        doctor = next(iter(re.findall(r"`(~/.codex/plugins\S*autoresearch_doctor.py)`", page)))
    fresh_reader(server, newcomer, mention, doctor)
    assert newcomer.project.status() == ""


def test_a_plugin_is_updated_and_removed(newcomer: Newcomer, tmp_path: Path):
    within = f"cd {tmp_path}/clone\n"
    newcomer.shell(f"git clone -q $REPO {tmp_path}/clone\n{within}{blocks('As a plugin of Codex')[0]}")
    newcomer.origin.write("SKILL.md", newcomer.origin.read("SKILL.md") + "\nA newer one.\n")
    newcomer.origin.commit("a newer one")
    newcomer.shell(f"{within}git pull -q\n{blocks('Update, disable, remove')[1]}")
    cache = newcomer.home / ".codex" / "plugins" / "cache"
    assert [file.read_text()[-13:] for file in cache.rglob("SKILL.md")] == ["A newer one.\n"]

    page = markdown.read(ROOT / "INSTALL.md").replace("\n", " ")
    for line in re.findall(r"`(codex plugin (?:marketplace )?remove [^`]*)`", page):
        newcomer.shell(line)
    assert list(cache.rglob("SKILL.md")) == []
    assert "autoresearch" not in (newcomer.home / ".codex" / "config.toml").read_text()


def test_codex_own_validator_is_content(newcomer: Newcomer):
    newcomer.shell("codex debug prompt-input x")  # the first start brings the validator
    validate = "python3 ~/.codex/skills/.system/skill-creator/scripts/quick_validate.py"
    assert "valid" in newcomer.shell(f"{validate} {newcomer.origin.path}")
    newcomer.origin.write("SKILL.md", "---\nname: Not Allowed\ndescription: d\n---\n")
    assert "FAILED" in newcomer.shell(f"{validate} {newcomer.origin.path} || echo FAILED")

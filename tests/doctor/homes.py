"""The doctor on prepared homes, beside what the real Codex CLI does there: `python3 -m tests.doctor.homes [NAME …]`.

In each home the doctor is asked what works. Then a session of the real CLI, with a scripted model, tries the same: does
it start and answer, does the mention bring the skill, is the project trusted, may it write, do the hooks run, can a
command in its sandbox commit. Where the doctor and the session disagree, the doctor has blocked or passed falsely.
Then every fix that is a command runs twice, and the finding must be gone, with Codex as well as before. The table is
in homes.md beside this; `--write` puts it there. `tests/doctor/test_homes.py` runs some of the homes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from autoresearch.hooks import hook_entries

from tests.codex import scripts
from tests.codex.conftest import CONFIG
from tests.codex.server import Server
from tests.conftest import FOREIGN, GIT_CONFIG, ROOT, SCRIPTS, require

NAME = "codex-autoresearch"
PAGE = Path(__file__).with_suffix(".md")
MARK = "<!-- python3 -m tests.doctor.homes --write -->\n"
SEEN = "the settings of this project are read"
# What is compared, and whose findings of the doctor answer it: the area, and words of the finding ("" for a block).
QUESTIONS = {
    "starts": ("codex", "block"),
    "skill": ("skill", "block"),
    "trusted": ("codex", "marked as untrusted|not known to Codex"),
    "writes": ("codex", "are read-only|starts read-only"),
    "hooks": ("hooks", "warn"),
    "commits": ("sandbox", "block"),
    "may commit": ("codex", "it cannot commit"),
}
# A fix that is a command, as opposed to a step for a person.
COMMAND = re.compile(r"(python3|mkdir|mv|ln|git|rm|grep|test|cd|codex features) ")
CODEX_SECONDS = 120


@dataclass
class Place:
    """A home with a repository in it, and the environment of somebody who lives there."""

    root: Path
    codex: str
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.home / "tmp", self.home / "bin", self.home / ".codex", self.repo):
            folder.mkdir(parents=True)
        (self.home / ".gitconfig").write_text(GIT_CONFIG + "[user]\n\tname = N\n\temail = n@example.invalid\n")
        (self.home / "bin" / "codex").symlink_to(os.path.realpath(self.codex))
        kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        path = os.pathsep.join([str(self.home / "bin"), str(Path(sys.executable).parent), kept.get("PATH", "")])
        self.env = {
            **kept, "HOME": str(self.home), "TMPDIR": str(self.home / "tmp"), "PATH": path, "RUST_BACKTRACE": "0",
            "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig"), "GIT_CONFIG_NOSYSTEM": "1", "NO_PROXY": "127.0.0.1",
            "PYTHONPYCACHEPREFIX": str(ROOT / ".venv-tests" / "pycache"),
        }  # fmt: skip
        self.shell("git init --quiet && echo 10 > value && git add value && git commit --quiet -m start")
        # Read by Codex where it trusts the project, and no change of the user's.
        self.write(self.repo / ".codex" / "config.toml", f'developer_instructions = "{SEEN}"\n')
        self.shell("echo /.codex/ >> .git/info/exclude")

    @property
    def home(self) -> Path:
        """The home folder."""
        return self.root / "home"

    @property
    def repo(self) -> Path:
        """The project."""
        return self.root / "repo"

    @property
    def settings(self) -> Path:
        """Codex's config.toml."""
        return self.home / ".codex" / "config.toml"

    def write(self, path: Path, text: str) -> None:
        """A file with its folders."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line in the project as its owner would."""
        words = ["bash", "-c", line]
        return subprocess.run(
            words, cwd=self.repo, env=self.env, capture_output=True, text=True, timeout=CODEX_SECONDS,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def script(self, name: str, *flags: object) -> Any:
        """The JSON answer of an entry script."""
        words = [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), *map(str, flags), "--repo", str(self.repo)]
        done = subprocess.run(words, cwd=self.repo, env=self.env, capture_output=True, text=True, timeout=CODEX_SECONDS)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


Prepare = Callable[[Place], None]
TRUST = '[projects."{repo}"]\ntrust_level = "trusted"\n'


@dataclass(frozen=True)
class Home:
    """One home: what config.toml has before the usual settings (top) and after them, and what else is done there."""

    top: str = ""
    tables: str = TRUST
    prepare: Prepare = lambda place: None
    plain: bool = False  # without the scripted model's settings: nothing answers, so only the start is compared
    auth: bool = False  # the model wants a sign-in
    mention: str = NAME
    skill: bool = True  # the skill in ~/.agents/skills
    folder: str = "homes-"  # how the folder of home and project is named


def link(where: str) -> Prepare:
    """The skill linked into a folder, "{home}" and "{repo}" in their places."""

    def prepare(place: Place) -> None:
        target = Path(where.format(home=place.home, repo=place.repo))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(ROOT)

    return prepare


def copied(where: str, text: str = f"---\nname: {NAME}\ndescription: another\n---\n") -> Prepare:
    """A SKILL.md of this text in a folder."""

    def prepare(place: Place) -> None:
        place.write(Path(where.format(home=place.home, repo=place.repo)) / "SKILL.md", text)

    return prepare


def cloned(place: Place) -> None:
    """The skill as a clone within the project."""
    place.shell(f"git clone --quiet --depth 1 {ROOT.as_uri()} .agents/skills/{NAME}")


def plugin(*more: str) -> Prepare:
    """The skill as a plugin, and further words for `codex plugin`."""

    def prepare(place: Place) -> None:
        words = [sys.executable, str(SCRIPTS / "autoresearch_package.py"), "plugin", str(place.root / "out")]
        subprocess.run(words, env=place.env, check=True, capture_output=True)
        for line in (f"marketplace add {place.root}/out", f"add {NAME}@autoresearch", *more):
            assert place.shell(f"codex plugin {line}").returncode == 0

    return prepare


def hooks(change: Callable[[str], str] = lambda noted: noted, scope: str = "project") -> Prepare:
    """Our hooks, trusted as a user would have; `change` edits what Codex noted of them."""

    def prepare(place: Place) -> None:
        path = Path(place.script("hooks_ctl", "install", "--scope", scope)["path"])
        document = json.loads(path.read_text())
        lines = []
        for event, (name, _, _) in hook_entries.EVENTS.items():
            for index, group in enumerate(document["hooks"][name]):
                lines += [f'[hooks.state."{path}:{event}:{index}:0"]']
                lines += [f'trusted_hash = "{hook_entries.fingerprint(event, group)}"']
        with place.settings.open("a") as file:
            file.write("\n" + change("\n".join(lines)) + "\n")

    return prepare


def moved_hooks(place: Place) -> None:
    """Trusted hooks of a skill that lay elsewhere and is gone."""
    hooks()(place)
    path = place.repo / ".codex" / "hooks.json"
    path.write_text(path.read_text().replace(str(SCRIPTS), "/gone/scripts"))


def variable(name: str, value: str) -> Prepare:
    """A variable of the environment."""
    return lambda place: place.env.update({name: value})


def signed_in(text: str) -> Prepare:
    """What Codex keeps of a sign-in."""
    return lambda place: place.write(place.home / ".codex" / "auth.json", text)


def elsewhere(place: Place) -> None:
    """$CODEX_HOME names another folder; the usual one is empty."""
    place.settings.parent.rename(place.home / "codex-home")
    place.env["CODEX_HOME"] = str(place.home / "codex-home")


def linked_home(place: Place) -> None:
    """$CODEX_HOME is a link to a folder elsewhere."""
    place.settings.parent.rename(place.root / "real-codex-home")
    (place.home / ".codex").symlink_to("../real-codex-home")
    place.env["CODEX_HOME"] = str(place.home / ".codex")


def encoded(change: Callable[[str], str]) -> Prepare:
    """config.toml with other bytes."""

    def prepare(place: Place) -> None:
        place.settings.write_bytes(change(place.settings.read_text()).encode())

    return prepare


def worktree(place: Place) -> None:
    """The project is a linked worktree of a checkout that is trusted."""
    place.shell(f"git worktree add --quiet {place.root}/linked")
    shutil.copytree(place.repo / ".codex", place.root / "linked" / ".codex")
    (place.root / "repo").rename(place.root / "main")
    (place.root / "linked").rename(place.root / "repo")
    place.shell("true")
    subprocess.run(["git", "-C", str(place.root / "main"), "worktree", "repair", str(place.repo)], env=place.env)
    text = place.settings.read_text()
    place.settings.write_text(text.replace(f'"{place.repo}"', f'"{place.root}/main"'))


def linked_settings(place: Place) -> None:
    """config.toml is a link into somebody's dotfiles."""
    place.settings.rename(place.home / "dotfiles.toml")
    place.settings.symlink_to("../dotfiles.toml")


def project_settings(text: str) -> Prepare:
    """What the project's own config.toml has."""
    return lambda place: place.write(place.repo / ".codex" / "config.toml", text)


def both(*steps: Prepare) -> Prepare:
    """One after the other."""

    def prepare(place: Place) -> None:
        for step in steps:
            step(place)

    return prepare


def own(text: str) -> Prepare:
    """What the project's own config.toml has beside the usual."""
    return project_settings(f'developer_instructions = "{SEEN}"\n{text}')


def appended(text: str) -> Prepare:
    """More at the end of the user's config.toml."""
    return lambda place: place.write(place.settings, f"{place.settings.read_text()}\n{text}")


def line(text: str) -> Prepare:
    """What the user's shell does in the project."""

    def prepare(place: Place) -> None:
        done = place.shell(text)
        assert done.returncode == 0, done.stderr

    return prepare


def submodule(place: Place) -> None:
    """The project is a submodule, and trusted as such."""
    add = f"git -c protocol.file.allow=always submodule --quiet add {place.repo} sub"
    line(f"git init --quiet {place.root}/super && cd {place.root}/super && {add} && git commit --quiet -m s")(place)
    shutil.copytree(place.repo / ".codex", place.root / "super" / "sub" / ".codex")
    shutil.rmtree(place.repo)
    place.repo.symlink_to("super/sub")
    place.settings.write_text(place.settings.read_text().replace(f'"{place.repo}"', f'"{place.root}/super/sub"'))


MINE = 'default_permissions = "mine"\n'
FILES = "[permissions.mine.filesystem]\n"
WORKSPACE = '[permissions.mine]\nextends = ":workspace"\n' + FILES
GRANT = '":workspace_roots" = { ".git" = "write" }\n'
LINK = f"mkdir -p .agents/skills && ln -s ../../tools/ar .agents/skills/{NAME}"
ON = f'[[skills.config]]\nname = "{NAME}"\nenabled = true\n'
UNTRUSTED = '[projects."{repo}"]\ntrust_level = "untrusted"\n'
OFF = '[[skills.config]]\n{key} = "{value}"\nenabled = false\n'
HOMES: dict[str, Home] = {
    "sound": Home(),
    "nothing is known of the project": Home(tables=""),
    "the project is untrusted": Home(tables=UNTRUSTED),
    "untrusted, in one line": Home(tables='[projects]\n"{repo}" = { trust_level = "untrusted" }\n'),
    "the parent folder is trusted": Home(tables='[projects."{root}"]\ntrust_level = "trusted"\n'),
    "a worktree of a trusted checkout": Home(prepare=worktree),
    "settings are a link": Home(tables="", prepare=linked_settings),
    "CODEX_HOME elsewhere": Home(tables="", prepare=elsewhere),
    "CODEX_HOME is a link": Home(tables="", prepare=linked_home),
    "CODEX_HOME is relative": Home(prepare=variable("CODEX_HOME", "../home/.codex")),
    "CODEX_HOME is empty": Home(prepare=variable("CODEX_HOME", "")),
    "CODEX_HOME is not there": Home(plain=True, prepare=variable("CODEX_HOME", "/no/such/folder")),
    "a home with blanks and accents": Home(tables="", folder="Ünser haus's "),
    "settings with a byte-order mark": Home(tables="", prepare=encoded(lambda text: "\ufeff" + text)),
    "settings with Windows line ends": Home(tables="", prepare=encoded(lambda text: text.replace("\n", "\r\n"))),
    "untrusted, with Windows line ends": Home(
        tables=UNTRUSTED, prepare=encoded(lambda text: text.replace("\n", "\r\n"))
    ),
    "untrusted, in a dotted key": Home("projects.'{repo}'.trust_level = 'untrusted' # mine\n", ""),
    "untrusted, all projects in one line": Home('projects = { "{repo}" = { trust_level = "untrusted" } }\n', ""),
    "untrusted, over several lines": Home(
        'projects = { "/o" = { trust_level = "trusted" }, "{repo}" = { trust_level = "untrusted", }, }\n', ""
    ),
    "other projects in one line": Home('projects = { "/o" = { trust_level = "untrusted" } }\n', ""),
    "a table of the project without trust": Home(tables='[projects."{repo}"]\n'),
    "texts that look like tables": Home(
        "developer_instructions = \"\"\"\n[projects.'{repo}']\ntrust_level = 'untrusted'\n\"\"\"\n", ""
    ),
    "full access": Home('sandbox_mode = "danger-full-access"\n'),
    "workspace-write": Home('sandbox_mode = "workspace-write"\n'),
    "read-only": Home('sandbox_mode = "read-only"\n'),
    "read-only by a profile": Home('default_permissions = ":read-only"\n'),
    "workspace by a profile": Home('default_permissions = ":workspace"\n'),
    "a profile of the user's": Home(
        'default_permissions = "mine"\n', TRUST + '[permissions.mine]\nextends = ":workspace"\n'
    ),
    "a profile that is not there": Home('default_permissions = "gone"\n'),
    "a value of a wrong type": Home("approval_policy = 5\n"),
    "a word that Codex does not know": Home('sandbox_mode = "readonly"\n'),
    "profile tables, none chosen": Home(tables=TRUST + '[profiles.x]\nmodel = "m"\nsandbox_mode = "read-only"\n'),
    "a key that Codex does not know": Home("nonsense = 5\n"),
    "a profile of old versions": Home('profile = "x"\n', TRUST + '[profiles.x]\nmodel = "m"\n'),
    "the same table twice": Home(tables=TRUST + TRUST),
    "no TOML": Home("model = \n"),
    "the project's settings are broken": Home(prepare=project_settings("model = 5\n")),
    "broken project settings, not trusted": Home(tables="", prepare=project_settings("model = 5\n")),
    "no sign-in": Home(auth=True),
    "signed in with a key": Home(auth=True, prepare=signed_in('{"OPENAI_API_KEY": "sk-x"}')),
    "a sign-in that cannot be read": Home(auth=True, prepare=signed_in("broken")),
    "a key in the environment": Home(auth=True, prepare=variable("CODEX_API_KEY", "sk-x")),
    "a key that Codex does not read": Home(auth=True, prepare=variable("OPENAI_API_KEY", "sk-x")),
    "a sign-in in a keyring that is not there": Home('cli_auth_credentials_store = "keyring"\n', auth=True),
    "a provider whose key is not set": Home(tables='env_key = "LOCAL_KEY"\n' + TRUST),
    "a provider whose key is set": Home(tables='env_key = "LOCAL_KEY"\n' + TRUST, prepare=variable("LOCAL_KEY", "k")),
    "a provider that is built in": Home('model_provider = "ollama"\n', plain=True),
    "a provider that is not there": Home('model_provider = "nowhere"\n', plain=True),
    "no skill": Home(skill=False),
    "the skill in ~/.codex/skills": Home(skill=False, prepare=link("{home}/.codex/skills/" + NAME)),
    "the skill under another folder name": Home(skill=False, prepare=link("{home}/.agents/skills/mine")),
    "the skill cloned into the project": Home(skill=False, prepare=cloned),
    "a plugin, and the doctor of a clone": Home(skill=False, mention=f"{NAME}:{NAME}", prepare=plugin()),
    "a plugin that was removed": Home(skill=False, prepare=plugin(f"remove {NAME}@autoresearch")),
    "a second copy in the project": Home(prepare=copied("{repo}/.agents/skills/x")),
    "a second copy in ~/.codex": Home(prepare=copied("{home}/.codex/skills/" + NAME)),
    "a second link to the same skill": Home(prepare=link("{repo}/.agents/skills/" + NAME)),
    "a broken copy": Home(prepare=copied("{home}/.codex/skills/" + NAME, "no front matter\n")),
    "only a broken copy": Home(skill=False, prepare=copied("{home}/.agents/skills/" + NAME, "no front matter\n")),
    "switched off by name": Home(tables=TRUST + OFF.format(key="name", value=NAME)),
    "switched off by path": Home(tables=TRUST + OFF.format(key="path", value="{home}/.agents/skills/" + NAME)),
    "switched off by the file's path": Home(
        tables=TRUST + OFF.format(key="path", value="{home}/.agents/skills/" + NAME + "/SKILL.md")
    ),
    "switched off by the real file's path": Home(tables=TRUST + OFF.format(key="path", value=str(ROOT / "SKILL.md"))),
    "another skill switched off": Home(tables=TRUST + OFF.format(key="name", value="other")),
    "hooks, trusted": Home(prepare=hooks()),
    "hooks of the user, trusted": Home(prepare=hooks(scope="user")),
    "hooks, not trusted": Home(prepare=hooks(lambda noted: "")),
    "hooks that changed": Home(prepare=hooks(lambda noted: noted.replace("sha256:", "sha256:0"))),
    "hooks that are switched off": Home(prepare=hooks(lambda n: re.sub("(trusted_hash.*)", r"\1\nenabled = false", n))),
    "hooks in a project that is not trusted": Home(tables="", prepare=hooks()),
    "hooks switched off altogether": Home(tables="[features]\nhooks = false\n" + TRUST, prepare=hooks()),
    "hooks switched off by a dotted key": Home("features.hooks = false\n", prepare=hooks()),
    "hooks of a skill that is gone": Home(prepare=moved_hooks),
    "write access to .git": Home(prepare=lambda place: place.script("doctor", "--mend", "permissions")),
    # Settings of other forms, and the project's own.
    "untrusted, quoted keys": Home(tables='["projects"."{repo}"]\n"trust_level" = \'untrusted\'\n'),
    "trusted with a slash at its end": Home(tables='[projects."{repo}/"]\ntrust_level = "trusted"\n'),
    "a list over several lines before the tables": Home("x = [\n[1],\n]\n"),
    "a text with a table before the tables": Home('developer_instructions = """\n[x]\n"""\n'),
    "network in the sandbox": Home(tables=TRUST + "[sandbox_workspace_write]\nnetwork_access = true\n"),
    "writable roots with .git": Home(tables=TRUST + '[sandbox_workspace_write]\nwritable_roots = ["{repo}/.git"]\n'),
    "writable roots around .git": Home(tables=TRUST + '[sandbox_workspace_write]\nwritable_roots = ["{repo}"]\n'),
    "a profile that names .git by its path": Home(MINE, TRUST + WORKSPACE + '"{repo}/.git" = "write"\n'),
    "a profile that extends one with .git": Home(
        MINE, TRUST + (WORKSPACE + GRANT).replace("mine", "base") + '[permissions.mine]\nextends = "base"\n'
    ),
    "a profile without a base": Home(MINE, TRUST + FILES + '":root" = "read"\n":workspace_roots" = "write"\n'),
    "a profile that only reads": Home(MINE, TRUST + FILES + '":root" = "read"\n'),
    "a profile that writes everywhere": Home(MINE, TRUST + FILES + '":root" = "write"\n'),
    "the project is read-only": Home(prepare=own('sandbox_mode = "read-only"\n')),
    "the project has full access": Home(prepare=own('sandbox_mode = "danger-full-access"\n')),
    "the project switches hooks off": Home(prepare=both(hooks(), own("[features]\nhooks = false\n"))),
    "hooks switched off by the earlier name": Home(tables="[features]\ncodex_hooks = false\n" + TRUST, prepare=hooks()),
    "switched off, with Windows line ends": Home(
        tables=TRUST + OFF.format(key="name", value=NAME), prepare=encoded(lambda text: text.replace("\n", "\r\n"))
    ),
    "switched off in a list": Home(tables=TRUST + f"[skills]\nconfig = [\n{{name = '{NAME}', enabled = false}},\n]\n"),
    "switched off, then on": Home(tables=TRUST + OFF.format(key="name", value=NAME) + ON),
    "switched on, then off": Home(tables=TRUST + ON + OFF.format(key="name", value=NAME)),
    "switched off by a path below ~": Home(
        tables=TRUST + OFF.format(key="path", value=f"~/.agents/skills/{NAME}/SKILL.md")
    ),
    "the plugin's skill switched off": Home(
        skill=False, mention=f"{NAME}:{NAME}", prepare=plugin(),
        tables=TRUST + OFF.format(key="name", value=f"{NAME}:{NAME}"),
    ),
    "plugins switched off": Home(
        skill=False, prepare=both(plugin(), appended("[features]\nplugins = false\n"))
    ),
    "a link to a clone within the project": Home(
        skill=False, prepare=both(line(f"git clone --quiet --depth 1 {ROOT.as_uri()} tools/ar"), line(LINK))
    ),
    "a clone within the project, no link": Home(
        skill=False, prepare=line(f"git clone --quiet --depth 1 {ROOT.as_uri()} tools/ar")
    ),
    "a submodule": Home(prepare=submodule),
    "git's folder elsewhere": Home(prepare=line("git init --quiet --separate-git-dir ../gitdir")),
    "no commit yet": Home(prepare=line("rm -rf .git && git init --quiet && echo /.codex/ >> .git/info/exclude")),
    "files of the tool are tracked": Home(
        prepare=line("echo x > autoresearch-lessons.md && git add -f autoresearch-lessons.md && git commit -qm x")
    ),
    "a shell's signs in the folder": Home(tables="", folder="a$HOME`id`{f.x} \"b\"-"),
}  # fmt: skip


@contextmanager
def prepared(home: Home, codex: str) -> Iterator[tuple[Place, Server]]:
    """The home on disk with a model that answers; both gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=home.folder) as folder:
        server = Server(
            scripts.agent([f"python3 {SCRIPTS}/autoresearch_doctor.py --repo . --format json", _COMMIT]),
            guarded=home.auth,
        )
        try:
            place = Place(Path(os.path.realpath(folder)), codex)
            usual = "" if home.plain else CONFIG.format(port=server.port)
            usual = usual.replace("openai_auth = false", "openai_auth = true") if home.auth else usual
            names = {"{repo}": str(place.repo), "{home}": str(place.home), "{root}": str(place.root)}
            text = f"{home.top}{usual}{home.tables}"
            for name, value in names.items():
                text = text.replace(name, value)
            place.settings.write_text(text)
            if home.skill:
                link("{home}/.agents/skills/" + NAME)(place)
            home.prepare(place)
            yield place, server
        finally:
            server.close()


_COMMIT = "git commit --quiet --allow-empty -m probe && echo COMMITTED"


def truth(place: Place, server: Server, home: Home) -> dict[str, bool]:
    """What a session of the real CLI does here."""
    if home.plain:
        return {"starts": place.shell("codex features list").returncode == 0}
    seen = len(server.requests)
    ran = place.shell(f"codex exec --json '${home.mention} go'")
    requests = server.requests[seen:]
    texts = [text for request in requests for text in request.user_texts]
    outputs = [request.last_output for request in requests]
    turn = _turn(place)
    found = {"starts": ran.returncode == 0 and bool(requests)}
    if not found["starts"]:
        return found
    return {
        **found,
        "skill": any(text.startswith(f"<skill>\n<name>{home.mention}</name>") for text in texts),
        "trusted": SEEN in json.dumps(requests[0].body),
        "writes": turn["sandbox_policy"]["type"] != "read-only",
        "hooks": _hooks_ran(place),
        "commits": any("COMMITTED" in output for output in outputs),
        "may commit": any("COMMITTED" in output for output in outputs),
    }


def _turn(place: Place) -> Mapping[str, Any]:
    """What the newest session's record says of its turn."""
    records = sorted(place.root.rglob("rollout-*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    for line in records[-1].read_text().splitlines() if records else ():
        item = json.loads(line)
        if item.get("type") == "turn_context":
            payload: Mapping[str, Any] = item["payload"]
            return payload
    return {"sandbox_policy": {"type": ""}}


def _hooks_ran(place: Place) -> bool:
    """Whether the hook of a session's start has run since this was asked last."""
    notes = list((place.home / ".cache" / "codex-autoresearch" / "hooks").glob("*"))
    for note in notes:
        note.unlink()
    return bool(notes)


Findings = Sequence[Mapping[str, str]]


def told(found: Findings, inside: Findings, asked: Sequence[str]) -> dict[str, bool]:
    """The doctor's answer to each question: `commits` from within the session, the others from outside."""
    return {question: not _fired(inside if question == "commits" else found, question) for question in asked}


def _fired(found: Findings, question: str) -> list[Mapping[str, str]]:
    area, words = QUESTIONS[question]
    if words in ("block", "warn"):
        return [item for item in found if item["area"] == area and item["severity"] in ("block", words)]
    return [item for item in found if item["area"] == area and re.search(words, item["what"])]


def examined(place: Place, server: Server, home: Home) -> tuple[Findings, dict[str, bool], dict[str, bool]]:
    """The doctor's findings outside, its answers, and the truth."""
    found: Findings = place.script("doctor", "--format", "json")["findings"]
    real = truth(place, server, home)
    inside: Findings = []
    for request in server.requests:
        start = request.last_output.find('{\n  "decision"')
        if start >= 0:
            inside = json.JSONDecoder().raw_decode(request.last_output[start:])[0]["findings"]
    if "hooks" in real and not any(item["area"] == "hooks" and "0 Codex hooks" not in item["what"] for item in found):
        del real["hooks"]  # none are installed
    if not real.get("writes", True):
        del real["commits"], real["may commit"]  # said already
    return found, told(found, inside, tuple(real)), real


@dataclass(frozen=True)
class Result:
    """What a home showed: `wrong` names every disagreement and every fix that did not hold."""

    name: str
    real: Mapping[str, bool]
    findings: tuple[str, ...]
    fixes: tuple[str, ...]
    wrong: tuple[str, ...]


def study(name: str, codex: str) -> Result:
    """One home, from the doctor's first word to the state after its fixes."""
    home = HOMES[name]
    with prepared(home, codex) as (place, server):
        found, said, real = examined(place, server, home)
        wrong = [f"{q}: the doctor says {said[q]}, the session {real[q]}" for q in real if said[q] != real[q]]
        bad = [item for item in found if item["severity"] != "ok"]
        lines = [item["fix"] for item in bad if COMMAND.match(item["fix"])]
        for line in lines:
            wrong += _fixed(place, line)
        if lines:
            after, said, again = examined(place, server, home)
            left = {item["fix"] for item in after}
            wrong += [f"still there: {line}" for line in lines if line in left]
            wrong += [f"{q}: after the fix {said[q]}, the session {again[q]}" for q in again if said[q] != again[q]]
            wrong += [f"{q}: worse after the fix" for q in again if real.get(q) and not again[q]]
        shown = tuple(f"{item['severity']}: {item['what']}".replace(str(place.root), "…") for item in bad)
        fixes = tuple(line.replace(str(place.root), "…").replace(str(ROOT), "…") for line in lines)
        return Result(name, real, shown, fixes, tuple(wrong))


def _fixed(place: Place, line: str) -> list[str]:
    """Run a fix twice; what was wrong with that."""
    first = place.shell(line)
    before = _files(place)
    second = place.shell(line)
    problems = [] if first.returncode == 0 else [f"fails: {line}: {first.stderr.strip()}"]
    problems += [] if second.returncode == 0 else [f"fails the second time: {line}: {second.stderr.strip()}"]
    return problems + ([] if _files(place) == before else [f"changes more the second time: {line}"])


def _files(place: Place) -> dict[str, bytes]:
    """Every file of home and project, links as such, but for caches and Codex's own records."""
    found = {}
    for folder in (place.home, place.repo):
        for path in folder.rglob("*"):
            name = path.relative_to(place.root).as_posix()
            if any(part in name for part in ("home/tmp/", "home/.cache/", "/.git/objects", "/sessions/")):
                continue
            if path.is_symlink():
                found[name] = os.readlink(path).encode()
            elif (path.is_file() and ".codex/" in name) or "info/exclude" in name or "skills" in name:
                found[name] = path.read_bytes() if path.is_file() else b""
    return found


def table(results: list[Result]) -> str:
    """The results as a table of Markdown."""
    head = ("Home", "The real session", "The doctor", "Fixes run, twice each", "Wrong")
    rows = [head, ("---",) * len(head), *map(_cells, results)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cells(result: Result) -> tuple[str, ...]:
    real = ", ".join(name if good else f"**not {name}**" for name, good in result.real.items())
    fixes = tuple(f"`{fix}`" for fix in result.fixes)
    lists = (result.findings or ("ok",), fixes or ("-",), result.wrong or ("-",))
    return (result.name, real, *("<br>".join(items).replace("|", "\\|") for items in lists))


def main() -> int:
    """Exit 1 where the doctor and the sessions disagree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument(
        "--write", action="store_true", help=f"put the table into {PAGE.relative_to(ROOT)}; of some homes their rows"
    )
    args = parser.parse_args()
    results = []
    for name in args.names or HOMES:
        results.append(study(name, require("codex")))
        print(f"{'wrong' if results[-1].wrong else 'right'}  {name}  {results[-1].wrong or ''}", flush=True)
    if args.write:
        head, _, rows = PAGE.read_text().partition(MARK)
        kept = [row for row in rows.splitlines(True)[3:] if args.names and row.split(" | ")[0][2:] not in args.names]
        new = table(results).splitlines(True)
        PAGE.write_text("".join([head, MARK, "\n", *new[:2], *kept, *new[2:]]))
    return 1 if any(result.wrong for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())

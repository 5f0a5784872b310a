"""The rules of `doctor`: a table of what may be wrong, how bad it is, and the line that mends it. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line
from ..resuming import resume_rules

BLOCK, WARN, OK = "block", "warn", "ok"
OLDEST_CODEX, OLDEST_SANDBOX = (0, 150), (0, 131)
TRUST_FLAG = (0, 169)  # the first that was seen with `exec --trust`; 0.168.0 has none
OLDEST_GIT = (2, 26)  # --pathspec-from-file
_HOOKS_ON = "codex features enable hooks"
SLOW = 60.0  # seconds of one run of verify from which fewer experiments fit into a night
BLOCK_MB, WARN_MB = 500, 1024


def mending(script: str, root: str) -> str:
    """How this command mends a setting, for a shell; the setting's name follows."""
    return f"python3 {shlex.quote(script)} --repo {shlex.quote(root)} --mend"


def adding(folders: tuple[str, ...]) -> str:
    """The flags that let a sandboxed Codex write in these folders."""
    return " ".join(f"--add-dir {shlex.quote(folder)}" for folder in folders)


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at: `severity` is block, warn or ok; `fix` is a command or one plain step ("" when ok)."""

    severity: str
    area: str
    what: str
    fix: str = ""


@dataclass(frozen=True)
class Python:
    """`python` as the documents start it: version of `python3` on PATH (empty: none)."""

    version: tuple[int, ...]

    @property
    def shown(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


@dataclass(frozen=True)
class Git:
    """Git and the repository; `version` is empty without Git, `hooks` are those that a commit would run."""

    version: tuple[int, ...]
    root: str
    is_repo: bool = False
    problem: str = ""
    has_commit: bool = False
    has_identity: bool = False
    hooks: tuple[str, ...] = ()
    signs: bool = False
    busy: tuple[str, ...] = ()
    locked: str = ""

    @property
    def shown(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))

    @property
    def quoted(self) -> str:
        """The folder for a shell."""
        return shlex.quote(self.root)

    @property
    def listed(self) -> str:
        """The hooks' names."""
        return ", ".join(self.hooks)


@dataclass(frozen=True)
class Codex:
    """The Codex CLI and its settings; `inside` says that a Codex session runs us, so that one can be started."""

    path: str
    version: str
    inside: bool
    config_path: str
    config_problem: str
    signed_in: bool
    missing_key: str  # the environment variable that the chosen provider wants and has not got
    needs_login: bool
    sandbox: str
    root: str
    if_trusted: str = ""  # why it would not start here with the project's own settings, which it reads once trusted
    level: str = ""  # what is noted of the project: trusted, untrusted or nothing
    script: str = ""  # this command's own
    number: tuple[int, ...] = ()  # of the version
    sandboxed: bool = False  # the run here, or the launch, is of the policy workspace_write
    confined: bool = False  # a session that is watched works in a sandbox that keeps .git read-only
    settled: bool = False  # no profile is offered: the settings name a sandbox or are not understood, or in a worktree
    folders: tuple[str, ...] = ()  # Git's, which a linked worktree has two of, outside of it
    served: bool = False  # this session runs in Codex's background server
    by_hand: bool = False  # the settings are of a form in which this command cannot add the project's trust
    broken: bool = False  # the program cannot be started, or fails at once

    @property
    def mend(self) -> str:
        """How this command mends a setting, for a shell."""
        return mending(self.script, self.root)

    @property
    def wrong_file(self) -> str:
        """The settings file that a problem names, the user's unless it does."""
        named = re.match(r"(/.*?):\d", self.config_problem or self.if_trusted)
        return named[1] if named else self.config_path

    @property
    def trusting(self) -> str:
        """How the project is trusted."""
        told = f'say trust_level = "trusted" of {self.root} among the projects in {self.config_path}'
        return told if self.by_hand else f"{self.mend} trust"

    @property
    def flags(self) -> str:
        """The flags that let a sandboxed Codex commit."""
        return adding(self.folders)

    @property
    def lacks_login(self) -> bool:
        """Whether a sign-in is needed and missing, as far as a program says that takes its settings."""
        return self.needs_login and not (self.signed_in or self.inside or self.config_problem) and bool(self.number)

    @property
    def untrusted(self) -> str:
        """What an untrusted project means, for a sentence; newer versions have a flag for one that is not known."""
        if self.level:
            return "the project is marked as untrusted: Codex ignores its hooks and settings"
        flag = "; codex exec --trust notes it too" if self.number >= TRUST_FLAG else ""
        return f"the project is not known to Codex, which ignores its hooks and starts read-only{flag}"

    @property
    def environment(self) -> str:
        """Whose environment commands get in this session, for a sentence."""
        return (
            "; commands here have the environment of the terminal that first started Codex (codex --no-daemon: its own)"
            if self.served
            else ""
        )


@dataclass(frozen=True)
class SkillCopies:
    """The skill as Codex sees it: folders of the loadable copies, of broken ones with the reason, of nested clones."""

    name: str
    own: str
    copies: tuple[str, ...]
    broken: tuple[tuple[str, str], ...] = ()
    disabled: bool = False
    clones: tuple[str, ...] = ()  # relative to the repository
    inside: bool = False
    script: str = ""  # this command's own
    root: str = ""
    by_hand: bool = False  # the settings are of a form in which this command cannot switch it on

    @property
    def switching(self) -> str:
        """How the skill is switched on."""
        told = f"say enabled = true of {self.name} under skills.config, in the settings of Codex"
        return told if self.by_hand else f"{mending(self.script, self.root)} skill"

    @property
    def top(self) -> str:
        """The repository, for a shell."""
        return shlex.quote(self.root)

    @property
    def first_folder(self) -> str:
        """The folder of the first broken copy, for a shell."""
        return shlex.quote(self.broken[0][0].rpartition("/")[0]) if self.broken else ""

    @property
    def listed(self) -> str:
        """The copies, for a sentence."""
        return " and ".join(self.copies)

    @property
    def extra(self) -> str:
        """The last copy, for a shell; the one that runs now comes first, so it is another."""
        return shlex.quote(self.copies[-1])

    @property
    def link(self) -> str:
        """The folder that runs now, for a shell."""
        return shlex.quote(self.own)

    @property
    def first_broken(self) -> str:
        """The first broken copy and its reason."""
        return " ".join(self.broken[0]) if self.broken else ""

    @property
    def clone(self) -> str:
        """The first nested clone as a line of an exclude file, for a shell."""
        return shlex.quote(f"/{self.clones[0]}/") if self.clones else ""


@dataclass(frozen=True)
class Hooks:
    """Codex hooks of this skill: where, how many, how many Codex would skip, and what they lack."""

    where: str = ""
    installed: int = 0
    untrusted: int = 0
    changed: int = 0
    off: int = 0
    missing: str = ""
    problem: str = ""
    project_untrusted: bool = False
    disabled: bool = False  # all hooks, by the settings
    by_project: str = ""  # the project's own settings, where those switch them off
    install: str = ""  # the command that installs them anew

    @property
    def switching(self) -> str:
        """How hooks are switched on."""
        return f"say hooks = true under [features] in {self.by_project}" if self.by_project else _HOOKS_ON


@dataclass(frozen=True)
class Sandbox:
    """What this process may reach. `agents_writable` is None without that folder."""

    git_writable: bool
    folders: tuple[str, ...]  # Git's, which a linked worktree has two of
    tmp_writable: bool
    network_cut: bool
    agents_writable: bool | None = None
    within: bool = True  # Git's folder is .git of the repository
    script: str = ""  # this command's own
    root: str = ""

    @property
    def agents(self) -> str:
        """What the sandbox does to the skill's place, for a sentence."""
        return "; .agents is read-only, which is as it should be" if self.agents_writable is False else ""

    @property
    def flags(self) -> str:
        """The flags that let a sandboxed Codex write there."""
        return adding(self.folders)

    @property
    def for_good(self) -> str:
        """How that is settled for all sessions, for a sentence; where Git's folder lies elsewhere it cannot be."""
        return f"; once and for all: {mending(self.script, self.root)} permissions" if self.within else ""


@dataclass(frozen=True)
class Disk:
    """MB free where the run lies."""

    free_mb: int


@dataclass(frozen=True)
class Artifacts:
    """What an earlier run left: the decision of `resume_check`, and what is unfinished or wrongly tracked."""

    decision: str
    detail: str
    reason: str
    unfinished: bool
    tracked: tuple[str, ...]
    scripts: str
    scratch: tuple[str, ...] = ()
    root: str = ""

    @property
    def top(self) -> str:
        """The run's folder, for a shell."""
        return shlex.quote(self.root)

    @property
    def left(self) -> str:
        """The scratch folders of killed commands, for a shell."""
        return " ".join(shlex.quote(path) for path in self.scratch[:5])

    @property
    def script(self) -> str:
        """The folder of the scripts, for a shell."""
        return shlex.quote(self.scripts)

    @property
    def paths(self) -> str:
        """The tracked artifacts, for a shell."""
        return " ".join(shlex.quote(path) for path in self.tracked[:5])


@dataclass(frozen=True)
class Check:
    """Two runs of verify: their values as text, why one gave none, seconds of the slower, and what they changed."""

    command: str = ""
    values: tuple[str, ...] = ()
    problem: str = ""
    seconds: float = 0.0
    known_noisy: bool = False
    changed: str = ""
    busy: bool = False

    @property
    def noisy(self) -> bool:
        """Whether the two values differ."""
        return len(set(self.values)) > 1

    @property
    def both(self) -> str:
        """The values for a sentence."""
        return " and ".join(self.values)


@dataclass(frozen=True)
class Rule:
    """Fires when `when` holds for its area's facts; `what` and `fix` are templates of them."""

    severity: str
    when: Callable[[Any], bool]
    what: str
    fix: str


_CONFINED = (
    "a session that you watch works in Codex's sandbox, where .git is read-only: it cannot commit experiments "
    "(background runs can)"
)

RULES: dict[str, tuple[str, tuple[Rule, ...]]] = {
    "python": ("Python {f.shown}", (
        Rule(BLOCK, lambda f: not f.version, "there is no python3 on PATH, which every script is started with",
             "install Python 3.9 or newer"),
        Rule(BLOCK, lambda f: bool(f.version) and f.version < (3, 9), "python3 is {f.shown}, 3.9 or newer is needed",
             "install Python 3.9 or newer and put it first on PATH"),
    )),
    "git": ("Git {f.shown}; identity set; the repository is healthy", (
        Rule(BLOCK, lambda f: not f.version, "there is no git on PATH", "install Git 2.26 or newer"),
        Rule(BLOCK, lambda f: bool(f.version) and f.version < OLDEST_GIT, "git is {f.shown}, 2.26 or newer is needed",
             "install Git 2.26 or newer"),
        Rule(BLOCK, lambda f: bool(f.version) and not f.is_repo,
             "{f.root} is no Git repository; experiments are commits", "git -C {f.quoted} init"),
        Rule(BLOCK, lambda f: bool(f.problem), "git fails here: {f.problem}", "git -C {f.quoted} status"),
        Rule(BLOCK, lambda f: f.is_repo and not f.problem and not f.has_commit,
             "there is no commit yet, so nothing to go back to",
             "cd {f.quoted} && {{ git rev-parse -q --verify HEAD || "
             "{{ git add -A && git commit --allow-empty -m start; }}; }}"),
        Rule(BLOCK, lambda f: bool(f.busy), "an operation is unfinished ({f.busy[0]})", "git -C {f.quoted} status"),
        Rule(WARN, lambda f: bool(f.locked), "{f.locked} exists: another git is at work here, or one was killed",
             "wait for it to end; if none runs: rm {f.locked}"),
        Rule(WARN, lambda f: f.is_repo and not f.has_identity,
             "no identity is set, so experiments are committed by a stand-in",
             "git config --global user.name 'NAME' && git config --global user.email 'MAIL'"),
        Rule(WARN, lambda f: bool(f.hooks), "hooks ({f.listed}) do not run on experiments",
             "name what they check in the guard, e.g. --guard 'pre-commit run --all-files'"),
        Rule(WARN, lambda f: f.signs, "commit.gpgSign is on, but experiments are not signed, for nobody is there to",
             "sign the finished branch: git rebase --force-rebase --gpg-sign BASE"),
    )),
    "codex": ("{f.version}, signed in, the project is trusted{f.environment}", (
        Rule(BLOCK, lambda f: not f.path and not f.inside, "there is no codex on PATH",
             "npm install -g @openai/codex"),
        Rule(WARN, lambda f: not f.path and f.inside,
             "there is no codex on PATH: this session works, background and exec runs do not",
             "start Codex from a terminal that has codex on PATH, or name it with --codex-bin"),
        Rule(BLOCK, lambda f: bool(f.path) and f.broken, "{f.path} does not run: not even --version",
             "npm install -g @openai/codex@latest; or put a codex that runs first on PATH"),
        Rule(WARN, lambda f: bool(f.path) and not f.version and not f.broken, "codex --version says nothing",
             "{f.path} --version"),
        Rule(BLOCK, lambda f: bool(f.config_problem), "Codex does not start with its settings: {f.config_problem}",
             "correct that in {f.wrong_file}"),
        Rule(BLOCK, lambda f: bool(f.missing_key), "the model provider wants ${f.missing_key}, which is not set",
             "export {f.missing_key}=…"),
        Rule(BLOCK, lambda f: f.lacks_login, "Codex is not signed in",
             "codex login"),
        Rule(BLOCK, lambda f: f.sandboxed and () < f.number < OLDEST_SANDBOX,
             "{f.version} keeps .git read-only under workspace_write, so no experiment can be committed",
             "npm install -g @openai/codex@latest"),
        Rule(WARN, lambda f: () < f.number < OLDEST_CODEX and not (f.sandboxed and f.number < OLDEST_SANDBOX),
             "{f.version} is older than 0.150: interrupts, reminders and limits are not told apart",
             "npm install -g @openai/codex@latest"),
        Rule(WARN, lambda f: f.sandbox == "read-only", "the settings are read-only, so no experiment can be made",
             "start with codex -s workspace-write, or set sandbox_mode in {f.config_path}"),
        Rule(WARN, lambda f: f.confined and not f.settled and not f.config_problem, _CONFINED, "{f.mend} permissions"),
        Rule(WARN, lambda f: f.confined and f.settled and not f.config_problem, _CONFINED,
             "start codex with {f.flags}"),
        Rule(WARN, lambda f: f.level != "trusted" and not f.config_problem and not f.if_trusted, "{f.untrusted}",
             "{f.trusting}"),
        Rule(WARN, lambda f: f.level != "trusted" and not f.config_problem and bool(f.if_trusted),
             "{f.untrusted}; trusted, it would not start here: {f.if_trusted}", "correct that in {f.wrong_file} first"),
    )),
    "skill": ("{f.name} is visible once, at {f.listed}", (
        Rule(BLOCK, lambda f: len(f.copies) > 1,
             "Codex sees {f.name} more than once ({f.listed}), so ${f.name} silently loads none",
             "test ! -e {f.extra} || mv {f.extra} ~/{f.name}.unused"),
        Rule(WARN, lambda f: bool(f.broken), "Codex cannot load a copy: {f.first_broken}",
             "test ! -e {f.first_folder} || mv {f.first_folder} ~/{f.name}.broken"),
        Rule(BLOCK, lambda f: not f.copies and not f.inside, "Codex cannot see {f.name} from here",
             'mkdir -p ~/.agents/skills && ln -sfn {f.link} ~/.agents/skills/{f.name}'),
        Rule(WARN, lambda f: not f.copies and f.inside, "the next session cannot see {f.name} from here",
             'mkdir -p ~/.agents/skills && ln -sfn {f.link} ~/.agents/skills/{f.name}'),
        Rule(BLOCK, lambda f: f.disabled, "{f.name} is switched off in the settings of Codex",
             "{f.switching}"),
        Rule(WARN, lambda f: bool(f.clones),
             "{f.clones[0]} is a clone within this repository: git add -A would record it as an embedded one",
             "cd {f.top} && f=$(git rev-parse --git-path info/exclude) && "
             '{{ grep -qxF {f.clone} "$f" || echo {f.clone} >> "$f"; }}'),
    )),
    "hooks": ("{f.installed} Codex hooks of this skill (they are optional)", (
        Rule(WARN, lambda f: bool(f.problem), "{f.problem}", "correct {f.where}"),
        Rule(WARN, lambda f: bool(f.missing), "a hook starts {f.missing}, which is gone",
             "{f.install}"),
        Rule(WARN, lambda f: f.installed > 0 and f.project_untrusted,
             "the project's hooks are skipped, for the project is not trusted", "trust it, see codex above"),
        Rule(WARN, lambda f: f.untrusted > 0, "{f.untrusted} of {f.installed} hooks are not trusted: Codex skips them",
             "start codex here once and choose to trust them"),
        Rule(WARN, lambda f: f.changed > 0, "{f.changed} of {f.installed} hooks have changed since they were trusted: "
             "Codex skips them", "start codex here once and choose to trust them"),
        Rule(WARN, lambda f: f.installed > 0 and f.disabled, "hooks are switched off in Codex altogether",
             "{f.switching}"),
        Rule(WARN, lambda f: f.off > 0, "{f.off} of {f.installed} hooks are switched off",
             "start codex here, /hooks switches them on"),
    )),
    "sandbox": (".git and the folder for temporary files can be written{f.agents}", (
        Rule(BLOCK, lambda f: not f.git_writable, ".git cannot be written, so no experiment can be committed",
             "start Codex with {f.flags}, or run outside the sandbox{f.for_good}"),
        Rule(BLOCK, lambda f: not f.tmp_writable, "the folder for temporary files cannot be written",
             "export TMPDIR=… to a folder that can"),
        Rule(WARN, lambda f: f.network_cut, "the sandbox has cut the network: checks that download will fail",
             "codex -c sandbox_workspace_write.network_access=true"),
    )),
    "disk": ("{f.free_mb} MB free", (
        Rule(BLOCK, lambda f: f.free_mb < BLOCK_MB, "{f.free_mb} MB of disk are free, 500 are needed",
             "free some space, e.g. git gc, old build folders, caches"),
        Rule(WARN, lambda f: BLOCK_MB <= f.free_mb < WARN_MB, "only {f.free_mb} MB of disk are free",
             "free some space before a long run"),
    )),
    "artifacts": ("{f.reason}", (
        Rule(BLOCK, lambda f: f.decision == resume_rules.WIZARD or f.detail == resume_rules.BROKEN, "{f.reason}",
             "decide whether to resume or to begin anew (init_run --force); this says more: "
             "python3 {f.script}/autoresearch_resume_check.py --repo {f.top}"),
        Rule(WARN, lambda f: f.decision == resume_rules.FALLBACK, "{f.reason}",
             "python3 {f.script}/autoresearch_resume_check.py --repo {f.top} --write-repaired-state"),
        Rule(WARN, lambda f: f.unfinished, "a trial was interrupted; the next one finishes or undoes it",
             "run the next trial, or record_iteration, which does the same"),
        Rule(WARN, lambda f: bool(f.scratch), "killed commands left scratch folders: {f.left}", "rm -rf {f.left}"),
        Rule(WARN, lambda f: bool(f.tracked), "files of the tool are tracked by Git: {f.paths}",
             "git -C {f.top} rm -rq --cached --ignore-unmatch -- {f.paths}"),
    )),
    "verify": ("{f.both}, the same twice, in {f.seconds:.1f} s", (
        Rule(WARN, lambda f: f.busy, "a trial is running, so verify was not tried", "wait for it, then repeat"),
        Rule(BLOCK, lambda f: bool(f.problem), "verify gives no number: {f.problem}", "correct it: {f.command}"),
        Rule(WARN, lambda f: f.noisy and not f.known_noisy,
             "verify gives {f.both}: it is noisy, so a trial takes several runs",
             "make it steadier (fixed seed, more work a run), or let init_run calibrate it"),
        Rule(OK, lambda f: f.noisy and f.known_noisy, "{f.both}; the run knows that it is noisy", ""),
        Rule(WARN, lambda f: bool(f.changed), "verify changes files that Git tracks: {f.changed}",
             "let it write elsewhere, or add them to .gitignore"),
        Rule(WARN, lambda f: f.seconds > SLOW, "one run of verify takes {f.seconds:.0f} s",
             "measure a smaller case, or plan with fewer experiments"),
    )),
}  # fmt: skip


def findings(area: str, facts: Any) -> tuple[Diagnosis, ...]:
    """What the facts of one area amount to: every rule that fires, else one line that says all is well."""
    fine, rules = RULES[area]
    fired = [rule for rule in rules if rule.when(facts)]
    if not fired:
        return (Diagnosis(OK, area, _filled(fine, facts)),)
    return tuple(Diagnosis(rule.severity, area, _filled(rule.what, facts), _filled(rule.fix, facts)) for rule in fired)


def _filled(template: str, facts: Any) -> str:
    return one_line(template.format(f=facts), 600)


def decision(found: tuple[Diagnosis, ...]) -> str:
    """The worst severity."""
    severities = {item.severity for item in found}
    return next(level for level in (BLOCK, WARN, OK) if level in severities or level == OK)

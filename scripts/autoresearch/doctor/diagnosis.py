"""What keeps a run from working here: the facts behind the rules of `core.doctor`. Nothing is changed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..codex import cli_words, codex_agent, codex_home, settings_edit, skill_file
from ..hooks import hook_entries, hooks_file
from ..kernel.core import choices, numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.settings import Config
from ..kernel.core.text import listing, one_line
from ..kernel.disk import evidence, locks
from ..kernel.disk.layout import Layout, entry, installed, script
from ..kernel.run import context, measure, tempfolder
from ..kernel.run.context import Run
from ..kernel.system.gitcall import GitError
from ..machine import probe
from ..resuming import resuming as reading
from . import diagnosis_rules as rules
from . import mending
from .diagnosis_rules import Diagnosis
from .githealth import Health, version

SCRIPT = str(entry("doctor"))
Say = Callable[[str], None]


def examine(layout: Layout, verify: str, say: Say) -> tuple[Diagnosis, ...]:
    """All findings for the repository of `layout`; `verify` is tried instead of the run's own check."""
    found: list[Diagnosis] = []
    for area, gather in _GATHER.items():
        say(f"looking at {area}")
        found += rules.findings(area, gather(layout))
    check = _check(layout, verify, say)
    return (*found, *(rules.findings("verify", check) if check else ()))


def _python(layout: Layout) -> rules.Python:
    said = version("python3", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])")
    return rules.Python(said)


def _git(layout: Layout) -> rules.Git:
    health, root = Health(layout.root), str(layout.root)
    found = version("git", "--version")
    if not found or not health.is_git():
        return rules.Git(found, root)
    try:
        return rules.Git(
            version=found,
            root=root,
            is_repo=True,
            problem=_broken(health),
            has_commit=bool(health.head()),
            has_identity=health.has_identity(),
            hooks=health.hooks(),
            signs=health.signs(),
            busy=health.busy(),
            locked=health.locked(),
        )
    except GitError as error:
        return rules.Git(found, root, is_repo=True, problem=str(error), has_identity=True)


def _broken(health: Health) -> str:
    """Why not even a status can be had, or ""."""
    try:
        health.changes()
    except GitError as error:
        return str(error)
    return ""


def _codex(layout: Layout) -> rules.Codex:
    program = cli_words.program()
    settings, problem = codex_home.settings()
    provider = _table(_table(settings, "model_providers"), str(settings.get("model_provider", "")))
    key = str(provider.get("env_key") or "")
    words = cli_words.ask_cli(program, str(layout.root)) if program else cli_words.Words(problem=problem)
    name = str(settings.get("model_provider") or "openai")
    level = codex_home.trust_level(settings, layout.root)
    folders = _git_folders(layout)
    sandboxed = codex_home.in_force(settings, layout.root)
    return rules.Codex(
        path=program,
        version="codex " + ".".join(map(str, words.version)) if words.version else "",
        broken=words.broken and "CODEX_THREAD_ID" not in os.environ,
        inside="CODEX_THREAD_ID" in os.environ,
        config_path=str(codex_home.config_path()),
        config_problem=words.problem,
        if_trusted=words.if_trusted,
        signed_in=words.signed_in or bool(os.environ.get("CODEX_API_KEY")),
        missing_key=key if key and not os.environ.get(key) else "",
        needs_login=provider.get("requires_openai_auth") is True if provider else name == "openai",
        sandbox=codex_home.sandbox(sandboxed),
        root=str(layout.root),
        script=SCRIPT,
        number=words.version,
        sandboxed=_policy(layout) == choices.SANDBOXED,
        level=level,
        confined=_is_confined(sandboxed, level, folders, _is_within(layout)) and "CODEX_THREAD_ID" not in os.environ,
        settled=not mending.can(layout.root, "permissions"),
        folders=folders,
        served=codex_agent.served(),
        by_hand=not mending.can(layout.root, "trust"),
    )


def _git_folders(layout: Layout) -> tuple[str, ...]:
    """Git's folders here: a linked worktree has two, none of them in it."""
    health = Health(layout.root)
    try:
        places = (health.common_dir(), health.git_dir()) if health.is_git() else ()
    except GitError:
        return ()  # said under git
    return tuple(map(str, dict.fromkeys(places)))


def _is_within(layout: Layout) -> bool:
    """Whether Git's folder is the usual one: not of a linked worktree, a submodule, or put elsewhere."""
    return (layout.root / ".git").is_dir()


def _is_confined(settings: Mapping[str, Any], level: str, folders: tuple[str, ...], within: bool) -> bool:
    """Whether Codex's own sandbox would keep a session that is watched from committing."""
    sandbox = codex_home.sandbox(settings)
    usual = sandbox == "" and level != ""  # a project of which nothing is known starts read-only
    return (usual or sandbox in ("workspace", "workspace-write")) and not codex_home.grants_git(
        settings, folders, within
    )


def _policy(layout: Layout) -> str:
    """What nested sessions of the run, or of the confirmed launch, may do."""
    try:
        return context.load(layout).config.execution_policy
    except Refusal:
        launch = _table(evidence.read_json(layout.launch) or {}, "config")
        return str(launch.get("execution_policy") or "")


def _table(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = settings.get(name)
    return found if isinstance(found, dict) else {}


def _skill(layout: Layout) -> rules.SkillCopies:
    health = Health(layout.root)
    place = installed()
    own = skill_file.read(str(place), (place / "SKILL.md").read_bytes())
    seen = codex_home.skills(layout.root, health.is_git())
    mine = [skill for skill in seen if own.name in (skill.name, Path(skill.folder).name)]
    copies = tuple(skill.folder for skill in mine if not skill.problem and skill.name == own.name)
    names = codex_home.skill_names(own.name, copies)
    if not copies:  # a plugin's skill goes by another name, so that a copy beside it is no clash
        copies = codex_home.plugin_skills(codex_home.settings()[0], own.name)
        names = codex_home.skill_names(f"{own.name}:{own.name}", copies)
    copies = tuple(sorted(copies, key=lambda copy: os.path.realpath(copy) != str(place)))
    folders = [Path(folder) for folder in dict.fromkeys((*copies, str(place)))]
    disabled = settings_edit.disabled(codex_home.settings()[0], names)
    return rules.SkillCopies(
        name=own.name,
        own=str(place),
        copies=copies,
        broken=tuple((f"{skill.folder}/SKILL.md", skill.problem) for skill in mine if skill.problem),
        disabled=disabled,
        by_hand=disabled and not mending.can(layout.root, "skill"),
        clones=_clones(health, folders),
        inside="CODEX_THREAD_ID" in os.environ,
        script=SCRIPT,
        root=str(layout.root),
    )


def _clones(health: Health, folders: list[Path]) -> tuple[str, ...]:
    try:
        root = Path(os.path.realpath(health.root))
        real = dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders)
        return tuple(f.relative_to(root).as_posix() for f in real if f != root and health.would_embed(f))
    except GitError:
        return ()  # outside git nothing is recorded


def _hooks(layout: Layout) -> rules.Hooks:
    found = []
    for scope in choices.HOOK_SCOPES:
        try:
            found.append(hooks_file.status(layout.root, scope))
        except Refusal as refusal:
            return rules.Hooks(str(hooks_file.path_of(layout.root, scope)), problem=str(refusal))
    found = list({status["path"]: status for status in found}.values())  # a plugin's are those of every scope
    settings = codex_home.settings()[0]
    off_here = not codex_home.runs_hooks(codex_home.project_settings(layout.root))
    verdicts = [verdict for status in found for verdict in status["hooks"].values()]
    commands = [command for status in found for command in status["commands"]]
    return rules.Hooks(
        where=found[0]["path"],
        installed=len(commands),
        untrusted=verdicts.count(hook_entries.UNTRUSTED),
        changed=verdicts.count(hook_entries.CHANGED),
        off=verdicts.count(hook_entries.OFF),
        missing=next((gone for command in commands for gone in _gone(command)), ""),
        disabled=not codex_home.runs_hooks(codex_home.in_force(settings, layout.root)),
        by_project=str(layout.root / ".codex" / "config.toml") if off_here else "",
        install=_install(layout, found),
        project_untrusted=any(status["ignored"] and status["commands"] for status in found),
    )


def _install(layout: Layout, found: list[dict[str, Any]]) -> str:
    """The command that installs anew the hooks whose script is gone, for a shell."""
    scope = next(
        (s["scope"] for s in found if any(_gone(command) for command in s["commands"])), choices.HOOK_SCOPES[0]
    )
    return f"python3 {script('hooks_ctl')} install --scope {scope} --repo {shlex.quote(str(layout.root))}"


def _gone(command: str) -> list[str]:
    """The scripts that a hook's command names by their full path and that are not there."""
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    return [word for word in words if word.startswith("/") and word.endswith(".py") and not os.path.exists(word)]


def _sandbox(layout: Layout) -> rules.Sandbox:
    import tempfile

    folders = _git_folders(layout)
    agents = layout.root / ".agents"
    try:
        writable = os.access(tempfile.gettempdir(), os.W_OK)
    except FileNotFoundError:
        writable = False
    return rules.Sandbox(
        git_writable=all(os.access(folder, os.W_OK) for folder in folders),
        folders=folders,
        tmp_writable=writable,
        network_cut=os.environ.get("CODEX_SANDBOX_NETWORK_DISABLED", "") not in ("", "0"),
        agents_writable=os.access(agents, os.W_OK) if agents.is_dir() else None,
        within=_is_within(layout),
        script=SCRIPT,
        root=str(layout.root),
    )


def _disk(layout: Layout) -> rules.Disk:
    return rules.Disk(probe.free_mb(layout.root))


def _artifacts(layout: Layout) -> rules.Artifacts:
    found = reading.examine(layout).decision
    health = Health(layout.root)
    try:
        tracked = health.tracked_artifacts() if health.is_git() else ()
    except GitError:
        tracked = ()  # said under git
    running = locks.is_held(evidence.lock_path(layout.evidence))
    return rules.Artifacts(
        decision=found.decision,
        detail=found.reason,
        reason=found.detail,
        unfinished=evidence.intent_path(layout.evidence).exists() and not running,
        tracked=tracked,
        scripts=str(entry("doctor").parent),
        scratch=tuple(map(str, tempfolder.left())),
        root=str(layout.root),
    )


_GATHER: Mapping[str, Callable[[Layout], Any]] = {
    "python": _python,
    "git": _git,
    "codex": _codex,
    "skill": _skill,
    "hooks": _hooks,
    "sandbox": _sandbox,
    "disk": _disk,
    "artifacts": _artifacts,
}


def _check(layout: Layout, verify: str, say: Say) -> rules.Check | None:
    """Verify tried twice, when the caller or a sound run names one; its output is thrown away."""
    try:
        run: Run | None = context.load(layout)
    except Refusal:
        run = None
    config = replace(run.config, verify=verify) if run and verify else run.config if run else Config(verify=verify)
    if not config.verify:
        return None
    if locks.is_held(evidence.lock_path(layout.evidence)):
        return rules.Check(config.verify, busy=True)
    return _tried(run.tree if run and run.tree.is_dir() else layout.root, config, say)


def _tried(tree: Path, config: Config, say: Say) -> rules.Check:
    from ..kernel.run import tempfolder

    before = _tracked_changes(tree)
    with tempfolder.folder("doctor") as folder:
        bench = measure.Bench(tree, folder, config, measure.limit_of(config, None), f"doctor-{os.getpid()}")
        samples = []
        for number in (1, 2):
            say(f"trying verify, run {number} of 2: {one_line(config.verify, 60)}")
            samples.append(measure.verify(bench, f"verify-{number}"))
            if samples[-1].problem:
                break
    return rules.Check(
        command=config.verify,
        values=tuple(numbers.plain(sample.value) for sample in samples if sample.value is not None),
        problem=next((sample.problem for sample in samples if sample.problem), ""),
        seconds=max(sample.seconds for sample in samples),
        known_noisy=config.noise.get("kind") == "noisy",
        changed=listing(sorted(_tracked_changes(tree) - before)),
    )


def _tracked_changes(tree: Path) -> set[str]:
    try:
        return {change.path for change in Health(tree).changes() if change.code != "?"}
    except GitError:
        return set()


def answer(found: tuple[Diagnosis, ...]) -> dict[str, Any]:
    """The JSON answer."""
    counts = {level: sum(item.severity == level for item in found) for level in (rules.BLOCK, rules.WARN, rules.OK)}
    shown = [{"severity": f.severity, "area": f.area, "what": f.what, "fix": f.fix} for f in found]
    return {"decision": rules.decision(found), "counts": counts, "findings": shown}

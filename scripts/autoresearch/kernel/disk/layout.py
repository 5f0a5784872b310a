"""Where things lie: the root of a run, its artifacts, and the folder of the skill itself."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..core.choices import FILES
from ..core.frozen import dataclass

SKILL_ROOT = Path(__file__).resolve().parents[4]
# A linked worktree made for a run names the checkout that holds the run's artifacts in this file of its git folder.
POINTER = "autoresearch-root"
# Second names of git's files while a check runs, in the evidence folder (`safeguard.gitcopy`).
GIT_KEPT = ".git-kept"
# The controller's record in exec mode, beside its snapshot.
EXEC_RUNTIME = "autoresearch-runtime.exec.json"
# In a run's own copy of the skill: the folder that it was copied from.
INSTALLED_AT = "installed-at"


def entry(name: str) -> Path:
    """Where the entry script of a command lies."""
    return SKILL_ROOT / "scripts" / f"autoresearch_{name}.py"


def script(name: str) -> str:
    """An entry script's path as one word for a shell."""
    import shlex

    return shlex.quote(str(entry(name)))


def installed() -> Path:
    """Where the user has this skill, also when a run's own copy of it runs."""
    named = read_line(SKILL_ROOT / INSTALLED_AT)
    return Path(named) if named else SKILL_ROOT


def cache() -> Path:
    """The folder of this user's for what outlives a run: outside every repository."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~")) / ".cache"
    return root / "codex-autoresearch"


@dataclass(frozen=True)
class Layout:
    """The artifact paths of one run; `root` is the primary repository's folder."""

    root: Path
    results: Path
    state: Path
    launch: Path
    runtime: Path

    @property
    def lessons(self) -> Path:
        """Lessons across runs."""
        return self.root / "autoresearch-lessons.md"

    @property
    def ideas(self) -> Path:
        """Ideas with their status."""
        return self.root / "autoresearch-ideas.md"

    @property
    def evidence(self) -> Path:
        """The folder of captured output, samples and patches."""
        return self.root / "autoresearch-evidence"

    @property
    def runtime_log(self) -> Path:
        """The controller's log, unless launched with another path."""
        return self.root / "autoresearch-runtime.log"

    def relative(self, path: Path) -> str:
        """`path` relative to the root where it lies below it, else absolute; POSIX separators."""
        try:
            return Path(os.path.realpath(path)).relative_to(os.path.realpath(self.root)).as_posix()
        except ValueError:
            return path.as_posix()

    def names(self, *which: str) -> dict[str, str]:
        """`results_path`, `state_path`, … as an answer names them: absolute, whether the files exist or not."""
        return {f"{name}_path": os.path.abspath(getattr(self, name)) for name in which}

    def own_paths(self) -> tuple[str, ...]:
        """Artifact paths relative to the root, for those that were given other names."""
        return tuple(self.relative(path) for path in (self.results, self.state, self.launch, self.runtime))


def standard(root: Path) -> Layout:
    """The layout of a run whose artifacts have their own names."""
    return Layout(root, **{name: root / file for name, file in FILES.items()})


def read_line(path: Path) -> str:
    """The text of a small file, "" where there is none."""
    try:
        return path.read_text("utf-8").strip() if path.is_file() else ""
    except (OSError, ValueError):
        return ""


def exec_state_path(root: Path) -> Path:
    """Where exec mode keeps its snapshot, outside the repository (docs/artifacts.md, Files); in a folder of this user's
    where somebody else has made the usual one."""
    usual = temporary() / "codex-autoresearch-exec"
    folder = usual / _digest(root) if _is_ours(usual) else own_scratch(root)
    return folder / "autoresearch-state.exec.json"


def _is_ours(folder: Path) -> bool:
    """Whether a folder is not there yet, or is one of this user's and no link."""
    try:
        found = os.lstat(folder)
    except OSError:
        return True
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def own_scratch(root: Path) -> Path:
    """A folder of this user's for a repository, outside it; its parent is the user's alone."""
    inside = os.access("/tmp", os.W_OK) and Path(os.path.realpath(temporary())).is_relative_to(os.path.realpath(root))
    return (Path("/tmp") if inside else temporary()) / f"codex-autoresearch-{os.getuid()}" / _digest(root)


def _digest(root: Path) -> str:
    import hashlib

    return hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:12]


def temporary() -> Path:
    """The folder for temporary files. Unlike `tempfile` it is not asked whether we may write there: a sandboxed
    session may not, and must find the same place all the same."""
    named = (os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP"))
    return Path(os.path.abspath(next((name for name in named if os.path.isdir(name)), "/tmp")))


def skill_inside(root: Path) -> str:
    """The skill's folder relative to `root` when it lies inside, else ""; it is "" for the skill's own repository."""
    try:
        inside = installed().relative_to(os.path.realpath(root)).as_posix()
    except ValueError:
        return ""
    return "" if inside == "." else inside

"""Random histories of real runs, and what must hold of the branch that `finalize` makes of each."""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from autoresearch.finalize import final_branch
from autoresearch.kernel.core import config
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.disk.layout import Layout
from autoresearch.kernel.run import trial
from autoresearch.recording import drift
from autoresearch.recording.record import Report
from autoresearch.setup import init

TROUBLES = (*[""] * 20, "foreign", "drift", "amend", "dirty", "reset away", "taken", "merge")
BASES = ("", "", "", "", "apart", "apart", "overlap", "unrelated")
NAMES = ("a.txt", "b.bin", "src/c.py", "src/d.sh", "deep/e/f", "ümlaut name", "link")


@dataclass
class History:
    """A run in progress, with what the test knows about it."""

    root: Path
    dice: random.Random
    trouble: str
    base: str
    repos: list[Path] = field(default_factory=list)
    starts: dict[Path, str] = field(default_factory=dict)
    value: int = 100
    keeps: int = 0

    @property
    def primary(self) -> Path:
        return self.repos[0]

    @property
    def layout(self) -> Layout:
        return layout(self.primary)


def layout(root: Path) -> Layout:
    """The artifacts of a run in `root`."""
    return Layout(
        root,
        root / "research-results.tsv",
        root / "autoresearch-state.json",
        root / "autoresearch-launch.json",
        root / "autoresearch-runtime.json",
    )


def git(where: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=where, capture_output=True, check=False)
    assert done.returncode == 0, f"git {args}: {done.stderr!r}"
    return os.fsdecode(done.stdout).rstrip("\n")


def make(root: Path, seed: int) -> History:
    """A run with random experiments in one or two repositories."""
    dice = random.Random(seed)
    made = History(root, dice, dice.choice(TROUBLES), dice.choice(BASES))
    for name in ("main", "side")[: dice.choice((1, 1, 2))]:
        made.repos.append(_repo(root / name, dice))
    _begin(made)
    for number in range(dice.randint(1, 7)):
        _experiment(made, number)
        if made.trouble == "drift" and number == 0:
            _commit_by_hand(made.primary, made.dice)
            drift.append(made.layout, Report("drift", "their commit"))
    return made


def _repo(path: Path, dice: random.Random) -> Path:
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    (path / "metric.txt").write_text("100\n")
    (path / "other.txt").write_text("theirs\n")
    for name in dice.sample(NAMES, 4):
        _put(path / name, dice)
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "start")
    return path


def _put(path: Path, dice: random.Random) -> None:
    """Some content: text, binary, executable or a link; folders and files give way to each other."""
    for parent in path.parents:
        if parent.is_symlink() or parent.is_file():
            parent.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        subprocess.run(["rm", "-rf", str(path)], check=True)
    if path.is_symlink() or path.exists():
        path.unlink()
    if path.name == "link":
        path.symlink_to(f"target-{dice.random()}")
        return
    path.write_bytes(dice.randbytes(40) + b"\0" if path.suffix == ".bin" else f"{dice.random()}\n".encode() * 5)
    path.chmod(dice.choice((0o644, 0o755)))


def _begin(made: History) -> None:
    policy = made.dice.choice(("revert", "reset"))
    if policy == "reset":
        for repo in made.repos:
            git(repo, "switch", "-q", "-c", "autoresearch/run")
    made.starts = {repo: git(repo, "rev-parse", "HEAD") for repo in made.repos}
    data = {
        "goal": "less", "metric": "n", "direction": "lower", "verify": "head -n 1 metric.txt", "guard": "test ! -e bad",
        "rollback_policy": policy, "calibrate": 1, "scope": "!other.txt", "salvage_runs": 0,
        "repos": [
            {"path": str(repo), "scope": "!other.txt", "role": "companion" if number else "primary"}
            for number, repo in enumerate(made.repos)
        ],
    }  # fmt: skip
    init.start(made.layout, init.Plan("loop", config.from_dict(data)))


def _experiment(made: History, number: int) -> None:
    """One trial: some edits, and a fate."""
    dice = made.dice
    fate = dice.choice(("keep", "keep", "worse", "crash", "guard"))
    for repo in made.repos if dice.random() < 0.7 else made.repos[:1]:
        for _ in range(dice.randint(1, 3)):
            _edit(repo, dice)
    value = made.value - 1 if fate in ("keep", "guard") else made.value + 1
    (made.primary / "metric.txt").write_text(f"{'none' if fate == 'crash' else value}\ntry {number}\n")
    if fate == "guard":
        (made.primary / "bad").write_text("bad\n")
    answer = trial.run_trial(made.layout, trial.Attempt(f"try {number} `|` @you", (), f"because {number}"))
    assert (answer["status"] == "keep") == (fate == "keep"), answer
    if fate == "keep":
        made.value, made.keeps = value, made.keeps + 1


def _edit(repo: Path, dice: random.Random) -> None:
    tracked = [n for n in git(repo, "ls-files", "-z").split("\0") if n and n not in ("other.txt", "metric.txt")]
    present = [name for name in tracked if (repo / name).is_symlink() or (repo / name).is_file()]
    kind = dice.choice(("put", "put", "rename", "mode", "delete", "swap"))
    if kind == "put" or not present:
        _put(repo / dice.choice(NAMES), dice)
        return
    name = dice.choice(present)
    if kind == "rename":
        target = repo / f"moved-{dice.randrange(1000)}"
        os.rename(repo / name, target)
    elif kind == "mode" and not (repo / name).is_symlink():
        (repo / name).chmod(0o755 if not os.access(repo / name, os.X_OK) else 0o644)
    elif kind == "delete":
        (repo / name).unlink()
    elif kind == "swap":
        _put(repo / name / "inner", dice)


def _commit_by_hand(repo: Path, dice: random.Random) -> None:
    (repo / "other.txt").write_text(f"edited {dice.random()}\n")
    git(repo, "commit", "-q", "-am", "by hand")


def spoil(made: History) -> None:
    """What happens between the run and `finalize`."""
    repo = made.dice.choice(made.repos)
    if made.trouble == "foreign":
        _commit_by_hand(repo, made.dice)
    elif made.trouble == "amend":
        git(repo, "commit", "-q", "--amend", "--allow-empty", "-m", "reworded")
    elif made.trouble == "dirty":
        (repo / "metric.txt").write_text("7\n")
    elif made.trouble == "reset away":
        git(repo, "checkout", "-q", "-B", "elsewhere", made.starts[repo])
        git(repo, "commit", "-q", "--allow-empty", "-m", "another line")
    elif made.trouble == "taken":
        git(repo, "branch", "clean", made.starts[repo])
    elif made.trouble == "merge":
        git(repo, "merge", "-q", "--no-ff", "-s", "ours", "--allow-unrelated-histories", _unrelated(repo, "loose"))


def _unrelated(repo: Path, name: str) -> str:
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=repo, input=b"x", capture_output=True, check=True
    )
    entry = f"100644 blob {blob.stdout.decode().strip()}\tloose.txt\n".encode()
    tree = subprocess.run(["git", "mktree"], cwd=repo, input=entry, capture_output=True, check=True)
    commit = git(repo, "commit-tree", tree.stdout.decode().strip(), "-m", "loose")
    git(repo, "branch", name, commit)
    return commit


def rebase(made: History) -> str:
    """Prepare the base that is asked for, in every repository; returns its name, "" for the run's own start."""
    if not made.base:
        return ""
    for repo in made.repos:
        if made.base == "unrelated":
            _unrelated(repo, "target")
            continue
        path = "fresh.txt" if made.base == "apart" else "metric.txt"
        with_index = {**os.environ, "GIT_INDEX_FILE": str(repo / ".git" / "target.index")}
        blob = subprocess.run(
            ["git", "hash-object", "-w", "--stdin"], cwd=repo, input=b"1000\n", capture_output=True, check=True
        )
        info = f"100644,{blob.stdout.decode().strip()},{path}"
        for command in (["read-tree", made.starts[repo]], ["update-index", "--add", "--cacheinfo", info]):
            subprocess.run(["git", *command], cwd=repo, env=with_index, check=True)
        tree = subprocess.run(["git", "write-tree"], cwd=repo, env=with_index, capture_output=True, check=True)
        commit = git(repo, "commit-tree", tree.stdout.decode().strip(), "-p", made.starts[repo], "-m", "moved on")
        git(repo, "branch", "target", commit)
    return "target"


def content(repo: Path, commit: str) -> dict[str, str]:
    """Mode and blob by path."""
    lines = git(repo, "ls-tree", "-r", "-z", commit).split("\0")
    return {line.partition("\t")[2]: line.partition("\t")[0] for line in lines if line}


def expected(made: History, repo: Path, base: str) -> dict[str, str]:
    """The base with everything that the run changed as the run left it."""
    start, end, onto = content(repo, made.starts[repo]), content(repo, "HEAD"), content(repo, base)
    changed = {path for path in {*start, *end} if start.get(path) != end.get(path)}
    kept = {path: entry for path, entry in onto.items() if path not in changed}
    return {**kept, **{path: end[path] for path in changed if path in end}}


def surroundings(repo: Path) -> tuple[str, ...]:
    """All that `finalize` must leave alone; the branch itself left out."""
    refs = [line for line in git(repo, "for-each-ref").split("\n") if not line.endswith("refs/heads/clean")]
    index = git(repo, "ls-files", "--stage")
    return (git(repo, "status", "--porcelain"), git(repo, "symbolic-ref", "HEAD"), index, *refs)


def judge(made: History) -> str:
    """Finalize, check everything, and say how it ended: `equal`, or `refused: …`."""
    spoil(made)
    base = rebase(made)
    before = [surroundings(repo) for repo in made.repos]
    taken = [_branch(repo) for repo in made.repos]
    wish = final_branch.BranchRequest(
        "clean", made.dice.random() < 0.3, made.dice.choice(("experiment", "files")), base
    )
    try:
        answer = final_branch.finalize(made.layout, wish, lambda what: None)
    except Refusal as refusal:
        assert [_branch(repo) for repo in made.repos] == taken, "a refusal left a branch"
        _refused_rightly(made, str(refusal))
        result = f"refused: {made.trouble or ('' if made.keeps else 'nothing kept') or made.base}"
    else:
        assert made.trouble == "", f"made a branch in spite of: {made.trouble}"
        _check(made, answer, base, wish.squash)
        result = "equal"
    assert [surroundings(repo) for repo in made.repos] == before, "the user's repository was touched"
    assert all(git(repo, "worktree", "list").count("\n") == 0 for repo in made.repos)
    return result


def _branch(repo: Path) -> str:
    done = subprocess.run(["git", "rev-parse", "-q", "--verify", "clean"], cwd=repo, capture_output=True, check=False)
    return done.stdout.decode()


def _refused_rightly(made: History, message: str) -> None:
    """A sound history on a base that leaves its files alone must not be refused."""
    assert "\n" not in message
    assert made.trouble or made.keeps == 0 or made.base in ("overlap", "unrelated"), message


def _check(made: History, answer: object, base: str, squash: bool) -> None:
    commits = 0
    for repo in made.repos:
        start = git(repo, "rev-parse", base or made.starts[repo])
        assert content(repo, "clean") == expected(made, repo, start)
        if not base:
            assert git(repo, "rev-parse", "clean^{tree}") == git(repo, "rev-parse", "HEAD^{tree}")
        line = git(repo, "rev-list", "--parents", f"{start}..clean").split("\n")
        assert all(len(step.split()) == 2 for step in line if step)
        commits = max(commits, len([step for step in line if step]))
        subjects = git(repo, "log", "--format=%s", f"{start}..clean")
        assert "Revert" not in subjects and "experiment:" not in subjects
    assert 0 < commits <= (1 if squash else made.keeps)

"""A run of the published tool at each of its stages: taken up, continued, reported and finalized without loss."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.background.conftest import PLAIN, Scripted
from tests.conftest import HANG, SCRIPTS, Ran, Repo
from tests.unattended import kill

HEAD = "# metric_direction: lower\n# mode: MODE\n# run_tag: theirs\n# parallel: serial\n# their_header: kept\n"
COLUMNS = "iteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription\n"
NUMBERS = {"keeps": 0, "discards": 0, "crashes": 0, "no_ops": 0, "blocked": 0, "consecutive_discards": 0}
RECORD = f"python3 {SCRIPTS}/autoresearch_record_iteration.py --status keep --guard pass --description taken"


@dataclass
class Theirs:
    """What the other tool left in a repository: commits, log and snapshot."""

    background: Scripted
    call: Callable[..., Ran]
    mode: str = "loop"
    log: str = ""

    @property
    def repo(self) -> Repo:
        """A repository for a run of the published tool."""
        return self.background.repo

    def commit(self, value: object, subject: str) -> str:
        """An experiment's commit as that tool makes them; returns its short hash."""
        self.repo.write("value", f"{value}\n")
        self.repo.git("commit", "--quiet", "--message", f"experiment: {subject}", "value")
        return self.repo.git("rev-parse", "HEAD")[:7]

    def write(self, rows: str, *, header: str = HEAD, state: dict[str, Any] | None, where: Path | None = None) -> None:
        """Write the log, and the snapshot with its fold in `state`."""
        self.log = header.replace("MODE", self.mode) + COLUMNS + rows
        self.repo.write("research-results.tsv", self.log)
        if state is not None:
            config = {"goal": "less", "scope": "value", "metric": "value", "verify": "cat value", "direction": "lower"}
            told = {"version": 1, "mode": self.mode, "run_tag": "theirs", "their_top": [1, 2.50]}
            told = {**told, "config": {**config, "their_config": "x"}, "state": {**NUMBERS, **state}, "supervisor": {}}
            (where or self.repo.path / "autoresearch-state.json").write_text(json.dumps(told))

    def ok(self, name: str, *flags: object) -> Any:
        """The answer of a command that must not fail."""
        ran = self.call(name, *flags, cwd=self.repo.path, env=self.background.env)
        assert ran.code == 0, ran.err
        return ran.json

    def manifest(self, status: str, pid: int) -> None:
        """A background run's files."""
        config = {"goal": "less", "scope": "value", "metric": "value", "verify": "cat value", "direction": "lower"}
        launch = {"version": 1, "mode": "loop", "original_goal": "less", "config": config, "their_launch": True}
        self.repo.write("autoresearch-launch.json", json.dumps(launch))
        runtime = {"version": 1, "status": status, "pid": pid, "pgid": pid, "repo": str(self.repo.path), "their_key": 1}
        self.repo.write("autoresearch-runtime.json", json.dumps(runtime))

    def fold(self, base: str, last: str, *, iteration: int = 1, status: str = "keep", **more: Any) -> dict[str, Any]:
        """The snapshot's fold where the last keep is 8; `base` and `last` are commits."""
        kept = {"current_metric": 8, "best_metric": 8, "best_iteration": 1, "last_commit": base, "keeps": 1}
        trial = {"last_trial_commit": last, "last_trial_metric": 8, "iteration": iteration, "last_status": status}
        return {"baseline_metric": 10, "pivot_count": 0, **kept, **trial, **more}


def two(theirs: Theirs) -> tuple[str, str, str]:
    """Baseline and a keep: the rows, and both commits."""
    base = theirs.repo.git("rev-parse", "--short=7", "HEAD")
    kept = theirs.commit(8, "eight")
    return f"0\t{base}\t10\t0\t-\tbaseline\tinitial\n1\t{kept}\t8\t-2\tpass\tkeep\t[labels: prod] eight\n", base, kept


def fresh(theirs: Theirs) -> None:
    """The baseline alone."""
    base = theirs.repo.git("rev-parse", "--short=7", "HEAD")
    state = theirs.fold(base, base, iteration=0, status="baseline", current_metric=10, best_metric=10, keeps=0)
    rows = f"0\t{base}\t10\t0\t-\tbaseline\tinitial\n"
    theirs.write(rows, state={**state, "best_iteration": 0, "last_trial_metric": 10})


def mid_run(theirs: Theirs) -> None:
    """A keep and a discard."""
    rows, _, kept = two(theirs)
    tried = theirs.commit(12, "twelve")
    theirs.repo.git("revert", "--no-edit", "HEAD")
    rows += f"2\t{tried}\t12\t+4\t-\tdiscard\ttwelve\n"
    state = theirs.fold(kept, tried, iteration=2, status="discard", discards=1, consecutive_discards=1)
    theirs.write(rows, state={**state, "last_trial_metric": 12, "current_labels": ["prod"]})


def after_a_crash(theirs: Theirs) -> None:
    """A row that the snapshot does not know."""
    rows, base, _ = two(theirs)  # it died between row and snapshot
    state = theirs.fold(base, base, iteration=0, status="baseline", keeps=0, current_metric=10, best_metric=10)
    theirs.write(rows, state={**state, "best_iteration": 0, "last_trial_metric": 10})


def parallel(theirs: Theirs) -> None:
    """Rows of two workers and of their batch."""
    rows = two(theirs)[0]
    best = theirs.commit(7, "seven")
    rows += f"2a\t{best}\t7\t-1\tpass\tkeep\t[PARALLEL worker-a] seven\n"
    rows += "2b\t-\t9\t+1\tpass\tdiscard\t[PARALLEL worker-b] nine\n"
    rows += f"2\t{best}\t7\t-1\tpass\tkeep\t[PARALLEL batch] selected worker-a: seven\n"
    state = theirs.fold(best, best, iteration=2, current_metric=7, best_metric=7, best_iteration=2, keeps=2)
    theirs.write(rows, state={**state, "last_trial_metric": 7}, header=HEAD.replace("serial", "parallel"))


def companions(theirs: Theirs) -> None:
    """A second repository with commits of its own."""
    api = Repo(theirs.repo.path.parent / "api")
    api.path.mkdir()
    api.git("init", "--quiet")
    api.write("a", "1\n")
    there = api.commit("one")[:7]
    rows, _, kept = two(theirs)
    me, other = str(theirs.repo.path), str(api.path)
    repos = [{"path": me, "scope": "value", "role": "primary"}, {"path": other, "scope": ".", "role": "companion"}]
    maps = {"last_repo_commits": {me: kept, other: there}, "last_trial_repo_commits": {me: kept, other: there}}
    header = HEAD + f"# repos_json: {json.dumps(repos)}\n"
    theirs.write(rows, state={**theirs.fold(kept, kept), **maps, "current_labels": ["prod"]}, header=header)


def in_exec(theirs: Theirs) -> None:
    """The snapshot where exec keeps it."""
    theirs.mode = "exec"
    rows, _, kept = two(theirs)
    where = Path(theirs.call("exec_state", "--repo-root", theirs.repo.path).out.strip())
    where.parent.mkdir(parents=True, exist_ok=True)
    theirs.write(rows, state=theirs.fold(kept, kept), header=HEAD + "# iterations: 9\n", where=where)


def alive(theirs: Theirs) -> None:
    """A controller of theirs that lives."""
    mid_run(theirs)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    theirs.manifest("running", child.pid)
    try:
        assert theirs.background.status()["status"] == "running"
        assert theirs.background.ctl("start").code == 1
        assert theirs.background.ctl("stop", "--grace-seconds", 1).json["status"] == "stopped"
        assert child.wait(HANG) != 0
    finally:
        kill(child.pid, 9)


def dead(theirs: Theirs) -> None:
    """A controller of theirs that is gone."""
    mid_run(theirs)
    theirs.manifest("running", 2**22 - 3)
    assert theirs.background.status()["status"] != "running"


def diverged(theirs: Theirs) -> None:
    """A snapshot that contradicts the log."""
    mid_run(theirs)
    path = theirs.repo.path / "autoresearch-state.json"
    path.write_text(path.read_text().replace('"current_metric": 8', '"current_metric": 3'))
    found = theirs.ok("resume_check")
    assert found["detail"] == "state_tsv_diverged" and "snapshot 3, log 8" in str(found["reasons"])


def old_log(theirs: Theirs) -> None:
    """A log of an early version, no snapshot."""
    rows, _, _ = two(theirs)
    theirs.write(rows, state=None, header="# metric_direction: lower\n")


def without_snapshot(theirs: Theirs) -> None:
    """A background run that is gone, whose log tells no configuration: the confirmed launch does."""
    dead(theirs)
    (theirs.repo.path / "autoresearch-state.json").unlink()
    theirs.manifest("stopped", 0)


STAGES: dict[Callable[[Theirs], None], str] = {
    fresh: "full_resume",
    mid_run: "full_resume",
    after_a_crash: "full_resume",
    parallel: "full_resume",
    companions: "full_resume",
    in_exec: "full_resume",
    alive: "full_resume",
    dead: "full_resume",
    without_snapshot: "tsv_fallback",
    diverged: "mini_wizard",
    old_log: "tsv_fallback",
}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: str(stage.__name__))
def test_a_run_is_taken_up_continued_reported_and_finalized(
    background: Scripted, run_script: Callable[..., Ran], stage: Callable[[Theirs], None]
):
    theirs = Theirs(background, run_script)
    stage(theirs)
    repo = theirs.repo
    found = theirs.ok("resume_check")
    assert found["decision"] == STAGES[stage], found
    if stage in (diverged, old_log):
        theirs.ok("resume_check", "--write-repaired-state")

    if stage in (alive, dead, without_snapshot):
        edit = "echo 6 > value; git commit --quiet --all --message 'experiment: six'"
        background.plan([f"{edit}; {RECORD} --metric 6 --commit $(git rev-parse --short=7 HEAD)"])
        started = background.ctl("start", "--iterations", "+1", *PLAIN)
        assert started.code == 0, started.err
        assert background.ended(100)["reason"] == "iteration_cap_reached"
        assert json.loads(repo.read("autoresearch-launch.json"))["their_launch"] is True
    else:
        six = theirs.commit(6, "six")
        row = ("--status", "keep", "--metric", 6, "--commit", six, "--guard", "pass", "--description", "taken")
        assert theirs.ok("record_iteration", *row)["retained_metric"] == 6

    log = repo.read("research-results.tsv")
    assert log.startswith(theirs.log) and log.rstrip("\n").split("\n")[-1].split("\t")[5:] == ["keep", "taken"]
    assert theirs.ok("resume_check")["detail"] == "json_matches_tsv"
    state = json.loads(Path(found["state_path"]).read_text())
    assert stage in (old_log, without_snapshot) or (state["their_top"], state["config"]["their_config"]) == (
        [1, 2.5],
        "x",
    )
    assert theirs.ok("supervisor_status")["decision"] in ("relaunch", "stop")

    page = Path(theirs.ok("report", "--format", "json")["html"])
    assert all(row.split("\t")[6].rpartition("] ")[2] in page.read_text() for row in theirs.log.split("\n")[-2:-1])
    done = theirs.ok("finalize", "--branch", "clean", "--format", "json")
    assert repo.git("show", "clean:value") == "6"
    assert done["metric"]["status"] == ("not run" if stage is old_log else "pass")
    assert repo.status() == ""


@pytest.mark.parametrize("empty", [False, True])
def test_a_companion_in_which_the_run_committed_nothing_is_no_hindrance(
    background: Scripted, run_script: Callable[..., Ran], empty: bool
):
    theirs = Theirs(background, run_script)
    companions(theirs)
    api = Repo(theirs.repo.path.parent / "api")
    if empty:
        shutil.rmtree(api.path)
        api.path.mkdir()
        api.git("init", "--quiet")
    path = theirs.repo.path / "autoresearch-state.json"
    state = json.loads(path.read_text())
    for name in ("last_repo_commits", "last_trial_repo_commits"):  # as before there were companions
        del state["state"][name]
    path.write_text(json.dumps(state))
    six = theirs.commit(6, "six")
    row = ("--status", "keep", "--metric", 6, "--commit", six, "--guard", "pass", "--description", "taken")
    assert theirs.ok("record_iteration", *row)["iteration"] == 2
    done = theirs.ok("finalize", "--branch", "clean", "--format", "json")
    assert theirs.repo.git("show", "clean:value") == "6" and done["metric"]["status"] == "pass"
    assert list(done["companions"].values()) == ([] if empty else [[]])
    assert bool(api.git("branch", "--list", "clean")) != empty


def spelt(theirs: Theirs, log: Callable[[str], str], state: Callable[[str], str] = str) -> None:
    """The files of a run in the middle, written otherwise."""
    mid_run(theirs)
    files = {theirs.repo.path / "research-results.tsv": log, theirs.repo.path / "autoresearch-state.json": state}
    for path, change in files.items():
        path.write_bytes(change(path.read_text()).encode())


def windows(text: str) -> str:
    """The text with the line ends of Windows."""
    return text.replace("\n", "\r\n")


def pretty(text: str) -> str:
    """JSON as another program writes it: over lines, keys sorted, line ends of Windows."""
    return windows(json.dumps(json.loads(text), indent=4, sort_keys=True) + "\n")


def digits(text: str) -> str:
    """The log with a metric of 17 digits, of which the snapshot has the nearest binary float."""
    return text.replace("\t8\t-2\t", "\t8.0000000000000001\t-2\t")


SPELT: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "line ends of Windows": (windows, pretty),
    "17 digits": (digits, str),
    "a byte order mark in the snapshot": (str, lambda text: "\ufeff" + pretty(text)),
    "blank lines and notes": (lambda text: text.replace("\n1\t", "\n\n# note: theirs\n1\t") + "\n\n", str),
    "keys without blanks": (lambda text: text.replace("# mode: loop", "#mode:loop"), str),
    "no comments": (lambda text: text[text.index("iteration\t") :], str),
    "a text that opens a quote": (lambda text: text.replace("\ttwelve", '\t"twelve'), str),
    "metrics as text": (str, lambda text: text.replace('"current_metric": 8', '"current_metric": "8.0"')),
    "fewer counts": (str, lambda text: text.replace('"no_ops": 0, "blocked": 0, ', "")),
    "no supervisor and no check": (
        str,
        lambda text: text.replace(', "supervisor": {}', "").replace('"verify": "cat value", ', ""),
    ),
}


def strictly(repo: Repo) -> tuple[int, str]:
    """The last iteration and its metric by a reader that knows nothing but rows of seven columns."""
    lines = [line for line in repo.read("research-results.tsv").splitlines() if line.strip() and line[0] != "#"]
    rows = [next(csv.reader([line], delimiter="\t")) for line in lines[1:]]
    assert lines[0] + "\n" == COLUMNS and {len(row) for row in rows} == {7}
    mains = [row for row in rows if row[0].isdigit()]
    assert [int(row[0]) for row in mains] == list(range(len(mains)))
    return int(mains[-1][0]), mains[-1][2]


@pytest.mark.parametrize("name", SPELT)
def test_a_run_is_taken_up_however_it_is_spelt(background: Scripted, run_script: Callable[..., Ran], name: str):
    theirs = Theirs(background, run_script)
    spelt(theirs, *SPELT[name])
    before = (theirs.repo.path / "research-results.tsv").read_bytes()
    assert theirs.ok("resume_check")["detail"] == "json_matches_tsv"
    six = theirs.commit(6, "six")
    row = ("--status", "keep", "--metric", 6, "--commit", six, "--guard", "pass", "--description", "taken")
    assert theirs.ok("record_iteration", *row)["retained_metric"] == 6
    assert (theirs.repo.path / "research-results.tsv").read_bytes().startswith(before.rstrip(b"\n"))
    assert strictly(theirs.repo) == (3, "6")
    state = json.loads(theirs.repo.read("autoresearch-state.json"))
    assert (state["their_top"], state["config"]["their_config"], state["state"]["iteration"]) == ([1, 2.5], "x", 3)
    assert theirs.ok("supervisor_status")["decision"] == "relaunch" and theirs.repo.status() == ""


def column(data: bytes) -> bytes:
    """The log with a column more, as a spreadsheet saves it."""
    lines = data.decode().split("\n")
    return "\r\n".join(
        line if line[:1] == "#" or not line else f"{line}\t{'remark' if line[:4] == 'iter' else 'odd'}"
        for line in lines
    ).encode("utf-16")


# How the log was saved, at which stage, and what is said of it.
SAVED: dict[str, tuple[Callable[[Theirs], None], Callable[[bytes], bytes], str]] = {
    "by a spreadsheet": (parallel, column, "byte order mark"),
    "in Latin-1": (in_exec, lambda data: data.replace(b"initial", b"initi\xe4l"), "not UTF-8"),
    "without its last line end": (companions, lambda data: data[:-1], "the end of its last line was missing"),
    "in part": (mid_run, lambda data: data + b"3\tabc1234\t7\t-1\tpa", "ends in the middle"),
}


@pytest.mark.parametrize("how", SAVED)
def test_a_run_is_taken_up_however_its_log_was_saved(background: Scripted, run_script: Callable[..., Ran], how: str):
    stage, save, words = SAVED[how]
    theirs = Theirs(background, run_script)
    stage(theirs)
    path = theirs.repo.path / "research-results.tsv"
    last = path.read_text().rstrip("\n").rpartition("\n")[2]
    path.write_bytes(save(path.read_bytes()))
    saved = path.read_bytes()
    found = theirs.ok("resume_check")
    assert found["decision"] == "full_resume" and words in str(found["reasons"])
    assert words in str(theirs.ok("health_check")["warnings"])
    for look in (
        ("launch_gate",),
        ("supervisor_status",),
        ("watch", "--once", "--format", "json"),
        ("report", "--format", "json"),
    ):
        theirs.ok(*look)
    assert path.read_bytes() == saved
    six = theirs.commit(6, "six")
    row = ("--status", "keep", "--metric", 6, "--commit", six, "--guard", "pass", "--description", "taken")
    answer = theirs.ok("record_iteration", *row)
    assert words in answer["log_written_anew"] and strictly(theirs.repo) == (answer["iteration"], "6")
    lines = path.read_text().split("\n")
    assert last in lines and (how != "by a spreadsheet" or f"# beside {last.split(chr(9))[0]}: remark = odd" in lines)
    kept = theirs.repo.path / "research-results.tsv.bak"
    assert kept.exists() == (how != "without its last line end") and (not kept.exists() or kept.read_bytes() == saved)
    assert theirs.ok("resume_check")["detail"] == "json_matches_tsv"
    theirs.ok("finalize", "--branch", "clean", "--format", "json")
    assert theirs.repo.status() == ""

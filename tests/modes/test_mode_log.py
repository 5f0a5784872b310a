"""`mode_log` as an agent calls it: real folders in real repositories."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from autoresearch.modes import mode_log_command
from autoresearch.modes.mode_schemas import SCHEMAS

from tests.conftest import HANG, SCRIPTS, Repo

BUG = (
    *(
        "result=confirmed",
        "title=Session dropped",
        "severity=high",
        "location=app.py:2",
        "evidence=max-age=0",
    ),
    *("reproduction=curl", "impact=no login", "root_cause=units", "suggested_fix=multiply"),
)
Opened = Callable[..., Path]


@pytest.fixture
def opened(repo: Repo, run_script: Any) -> Opened:
    """Return a function that opens a mode's folder in a repository with a file of three lines."""
    repo.write("app.py", "a\nb\nc\n")
    repo.commit("app")

    def make(mode: str, *flags: object) -> Path:
        ran = run_script("mode_log", "open", "--repo", repo.path, "--mode", mode, "--slug", "Login 503", *flags)
        assert ran.code == 0, ran.err
        return Path(ran.json["dir"])

    return make


def log_of(folder: Path) -> str:
    return (folder / SCHEMAS[folder.parent.name].log).read_text("utf-8")


def rows_of(folder: Path) -> list[str]:
    lines = [line for line in log_of(folder).splitlines() if not line.startswith("#")]
    return lines[1:]


def test_the_flags_offer_what_the_rules_know():
    assert tuple(SCHEMAS) == mode_log_command.MODES


@pytest.mark.parametrize("mode", sorted(SCHEMAS))
def test_open_makes_every_file_and_git_does_not_see_them(mode: str, opened: Opened, repo: Repo):
    folder = opened(mode)
    assert {path.name for path in folder.iterdir()} == {SCHEMAS[mode].log, *SCHEMAS[mode].files}
    assert folder.parent == repo.path / mode
    assert folder.name.endswith("-login-503")
    assert repo.status() == ""


@pytest.mark.parametrize(("mode", "page"), [("debug", "summary"), ("security", "overview"), ("ship", "summary")])
def test_what_was_agreed_survives_the_session(mode: str, page: str, opened: Opened, run_script: Any):
    agreed = "screenshot: 11 months and 31 days\n# queue: {} | push v2"
    folder = opened(mode, "--agreed", agreed)
    flat = agreed.replace("\n", " ")
    assert run_script("mode_log", "summary", "--dir", folder).json["agreed"] == flat
    assert r"11 months and 31 days \# queue: {} \| push v2" in (folder / f"{page}.md").read_text("utf-8")


def test_a_second_folder_in_the_same_minute_has_its_own_name(opened: Opened):
    assert opened("debug") != opened("debug")


def test_a_users_own_folder_of_that_name_stays_seen(opened: Opened, repo: Repo):
    opened("debug")
    repo.write("debug/notes.txt", "mine")
    assert repo.status() == "?? debug/notes.txt"


def test_a_link_in_place_of_the_mode_folder_is_refused(repo: Repo, run_script: Any, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (repo.path / "ship").symlink_to(tmp_path / "elsewhere")
    ran = run_script("mode_log", "open", "--repo", repo.path, "--mode", "ship", "--slug", "x")
    assert ran.code == 1
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_outside_git_it_works_as_well(tmp_path: Path, run_script: Any):
    place = tmp_path / "plain"
    place.mkdir()
    ran = run_script("mode_log", "open", "--repo", place, "--mode", "debug", "--slug", "x")
    assert Path(ran.json["dir"]).parent == place / "debug"


def test_a_row_reaches_the_log_the_pages_and_the_answer(opened: Opened, run_script: Any):
    folder = opened("debug")
    ran = run_script("mode_log", "add", "--dir", folder, *BUG, "hypothesis=@-", input="cookie expires\nat once\n")
    assert ran.json["recorded"] == ["1 confirmed: high, Session dropped, cookie expires at once"]
    assert ran.out.count("\n") == 1
    assert ran.json["missing"] == []
    expected = "1\thypothesis\tcookie expires at once\tconfirmed\thigh\tapp.py:2\tSession dropped"
    assert rows_of(folder) == [expected]
    assert "## F1: Session dropped" in (folder / "findings.md").read_text("utf-8")


def test_a_refused_row_changes_nothing(opened: Opened, run_script: Any):
    folder = opened("debug")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ran = run_script("mode_log", "add", "--dir", folder, *BUG[1:], "location=../home/.gitconfig:1")
    assert (ran.code, ran.out) == (1, "")
    ran = run_script("mode_log", "add", "--dir", folder, "hypothesis=h", *BUG[:3], "location=../home/.gitconfig:1")
    assert "no such file in the repo" in ran.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_long_texts_come_from_files(opened: Opened, run_script: Any, tmp_path: Path):
    folder = opened("debug")
    (tmp_path / "trace.txt").write_text("line 1\n\x1b[31mline 2\n")
    fields = ("hypothesis=@@decorator", "result=disproven", f"evidence=@{tmp_path / 'trace.txt'}")
    ran = run_script("mode_log", "add", "--dir", folder, *fields)
    assert ran.json["recorded"] == ["1 disproven: @decorator"]
    assert "line 2" in (folder / "eliminated.md").read_text("utf-8").split("\n")
    assert '"evidence": "line 1\\nline 2' in log_of(folder)
    ran = run_script("mode_log", "add", "--dir", folder, "hypothesis=@nowhere", "plain")
    assert "'plain' is not FIELD=VALUE" in ran.err
    assert "hypothesis: cannot read nowhere" in ran.err


def test_rows_added_at_once_are_all_there(opened: Opened):
    folder = opened("debug")
    script = str(SCRIPTS / "autoresearch_mode_log.py")
    fields = ("result=disproven", "evidence=e")
    children = [
        subprocess.Popen(
            [sys.executable, script, "add", "--dir", str(folder), f"hypothesis=h{number}", *fields],
            stdout=subprocess.DEVNULL,
        )
        for number in range(12)
    ]
    assert [child.wait(HANG) for child in children] == [0] * 12
    rows = [row.split("\t") for row in rows_of(folder)]
    assert [row[0] for row in rows] == [str(number) for number in range(1, 13)]
    assert {row[2] for row in rows} == {f"h{number}" for number in range(12)}
    page = (folder / "eliminated.md").read_text("utf-8")
    assert [number for number in range(12) if f": h{number}\n" not in page] == []


def test_a_torn_row_is_cut_by_the_next_one(opened: Opened, run_script: Any):
    folder = opened("debug")
    run_script("mode_log", "add", "--dir", folder, "hypothesis=h1", *BUG)
    whole = log_of(folder)
    with open(folder / "debug-results.tsv", "a") as log:
        log.write('# event: {"evidence": "x"}\n2\thypothesis\thalf')
    assert run_script("mode_log", "summary", "--dir", folder).json["rows"] == 1
    ran = run_script("mode_log", "add", "--dir", folder, "hypothesis=h2", "result=new lead")
    assert ran.json["rows"] == 2
    assert log_of(folder) == whole + "2\thypothesis\th2\tnew lead\t-\t-\t-\n"


def test_a_full_disk_leaves_the_earlier_rows(opened: Opened):
    folder = opened("debug")
    before = log_of(folder)
    limit = len(before) + 100
    command = [sys.executable, str(SCRIPTS / "autoresearch_mode_log.py"), "add", "--dir", str(folder)]
    done = subprocess.run(
        [*command, "result=disproven", "hypothesis=h", f"evidence={'x' * 4000}"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot write" in done.stderr
    assert log_of(folder) == before


def test_the_gate_is_the_exit_code(opened: Opened, run_script: Any):
    folder = opened("debug")
    run_script("mode_log", "add", "--dir", folder, "hypothesis=h1", *BUG)
    failed = run_script("mode_log", "summary", "--dir", folder, "--fail-on", "medium")
    assert (failed.code, failed.json["gate"]["passed"]) == (1, False)
    assert "Gate: **failed**" in (folder / "summary.md").read_text("utf-8")
    assert run_script("mode_log", "summary", "--dir", folder, "--fail-on", "critical").code == 0
    assert run_script("mode_log", "summary", "--dir", folder).code == 0


def test_a_fix_takes_up_the_findings_of_a_debug_folder(opened: Opened, run_script: Any):
    debug = opened("debug")
    run_script("mode_log", "add", "--dir", debug, "hypothesis=h1", *BUG)
    fix = opened("fix", "--from-debug", debug)
    run_script("mode_log", "add", "--dir", fix, "status=baseline", "metric=3", "description=failing tests")
    keep = ("status=keep", "metric=0", "commit=a1b2c3d", "description=units", "finding=F1")
    ran = run_script("mode_log", "add", "--dir", fix, *keep)
    assert ran.json["missing"] == []
    assert "| F1 | high | Session dropped | mended |" in (fix / "summary.md").read_text("utf-8")


def test_a_fix_takes_up_the_findings_of_an_audit(opened: Opened, run_script: Any):
    audit = opened("security")
    row = ("type=finding", "title=Open door", "location=app.py:1", "scenario=s", "impact=i", "confidence=high")
    more = ("severity=high", "stride=spoofing", "owasp=A07", "mitigation=close it", "evidence=e")
    assert run_script("mode_log", "add", "--dir", audit, *row, *more).code == 0
    (item,) = run_script("mode_log", "summary", "--dir", opened("fix", "--from-debug", audit)).json["coverage"][
        "findings_open"
    ]
    assert item == "F1"


def test_a_fix_takes_up_only_the_findings_that_were_agreed(opened: Opened, run_script: Any, repo: Repo):
    debug = opened("debug")
    for number in (1, 2):
        run_script("mode_log", "add", "--dir", debug, f"hypothesis=h{number}", *BUG)
    fix = opened("fix", "--from-debug", debug, "--only", "F2")
    assert run_script("mode_log", "summary", "--dir", fix).json["coverage"]["findings_open"] == ["F2"]
    more = ("--slug", "x", "--from-debug", debug, "--only", "F3")
    ran = run_script("mode_log", "open", "--repo", repo.path, "--mode", "fix", *more)
    assert (ran.code, "expected one of F1, F2" in ran.err) == (1, True)


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("debug", ("result=disproven", "evidence=e")),
        ("security", ("type=coverage", "stride=S", "evidence=e")),
    ],
)
def test_the_agreed_number_ends_the_search(mode: str, row: tuple[str, ...], opened: Opened, run_script: Any):
    folder = opened(mode, "--limit", 2)
    more = ("hypothesis=h1",) if mode == "debug" else ()
    first = run_script("mode_log", "add", "--dir", folder, *row, *more).json
    assert (first["left"], first["next"]["action"]) == (1, "add")
    last = run_script("mode_log", "add", "--dir", folder, *row, *(f"{field}x" for field in more)).json
    assert (last["left"], last["next"]["action"]) == (0, "summary")
    assert "not examined" in last["next"]["reason"] and last["missing"]


def test_other_modes_have_no_such_number(repo: Repo, run_script: Any):
    ran = run_script("mode_log", "open", "--repo", repo.path, "--mode", "ship", "--slug", "x", "--limit", 3)
    assert (ran.code, "leave --limit out" in ran.err, (repo.path / "ship").exists()) == (1, True, False)


def test_a_fix_takes_over_what_its_run_measured(opened: Opened, run_script: Any, repo: Repo):
    log = repo.path / "research-results.tsv"
    columns = "iteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription"
    config = '{"metric_key": "open", "require": ["lint <= 3"]}'
    counted = '{"types": %d, "tests": %d, "lint": 3, "passed": 9}'
    event = '# event: {"kind": "trial", "iteration": %d, "others": ' + counted + "}\n"
    head = f"# metric_direction: lower\n# mode: fix\n# run_tag: t\n# config_json: {config}\n{columns}\n"
    log.write_text(head + event % (0, 4, 2) + "0\ta1b2c3d\t6\t0\t-\tbaseline\tfirst\n")
    fix = opened("fix")
    assert rows_of(fix) == ["0\ta1b2c3d\t6\t0\t-\tbaseline\tfirst"]
    blocked = ("status=blocked", "category=tests", "description=needs tzdata")
    assert run_script("mode_log", "add", "--dir", fix, *blocked).code == 0
    with log.open("a") as file:
        file.write(event % (1, 4, 1) + "1\tb2c3d4e\t5\t-1\tpass\tkeep\t[labels: f1] narrow\n")
    done = run_script("mode_log", "summary", "--dir", fix).json
    assert done["coverage"]["remaining"] == {"types": "4", "tests": "1"}
    assert [line.split("\t")[5] for line in rows_of(fix)] == ["baseline", "blocked", "keep"]
    assert '"category": "tests"' in log_of(fix).splitlines()[-2]
    assert run_script("mode_log", "summary", "--dir", fix).json["rows"] == 3
    typed = run_script("mode_log", "add", "--dir", fix, "status=keep", "metric=0", "commit=abc1234", "description=x")
    assert "taken over by themselves" in typed.err
    assert "| tests | 2 | 1 |" in (fix / "summary.md").read_text("utf-8")


def test_a_patch_that_mutes_is_no_keep(opened: Opened, run_script: Any, tmp_path: Path):
    fix = opened("fix")
    run_script("mode_log", "add", "--dir", fix, "status=baseline", "metric=3", "description=types")
    (tmp_path / "p.diff").write_text("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x()\n+x()  # type: ignore\n")
    keep = ("status=keep", "metric=0", "commit=a1b2c3d", "description=d", f"patch=@{tmp_path / 'p.diff'}")
    ran = run_script("mode_log", "add", "--dir", fix, *keep)
    assert ran.code == 1
    assert "a.py:1: # type: ignore" in ran.err
    ran = run_script("mode_log", "add", "--dir", fix, "status=discard", *keep[1:])
    assert ran.json["muted"] == ["a.py:1: # type: ignore"]


def test_a_shipment_from_start_to_end(opened: Opened, run_script: Any):
    folder = opened("ship")
    for fields in (
        ("type=code-release", "phase=identify", "target=v1.2", "notes=a release"),
        ("phase=inventory", "notes=4 commits"),
        ("type=check", "item=tests", "status=pass", "evidence=312 passed"),
        ("phase=prepare", "notes=tagged"),
        ("type=code-release", "dry_run=yes", "duration=3s"),
        ("type=rollback", "command=git push --delete origin v1.2", "status=planned"),
        ("type=code-release", "dry_run=no", "approved=yes", "shipped=yes", "verified=yes"),
        ("type=monitor", "status=pass", "evidence=200 for 10 minutes"),
        ("phase=log", "notes=done"),
    ):
        ran = run_script("mode_log", "add", "--dir", folder, *fields)
        assert ran.code == 0, ran.err
    assert ran.json["missing"] == []
    assert {row.split("\t")[1] for row in rows_of(folder)} == {"code-release"}
    done = run_script("mode_log", "summary", "--dir", folder).json
    assert (done["score"], done["gate"]["passed"]) == (100, True)


def test_several_rows_are_recorded_at_once_or_none(opened: Opened, run_script: Any):
    folder = opened("ship")
    first = ("type=code-release", "phase=identify", "target=v1.2", "notes=a release")
    second = ("phase=inventory", "notes=4 commits")
    check = ("type=check", "item=tests", "status=pass", "evidence=312 passed")
    ran = run_script("mode_log", "add", "--dir", folder, *first, "+", *second, "+", *check)
    assert ran.json["recorded"] == ["phase: identify, v1.2", "phase: inventory, v1.2", "check: pass, tests, v1.2"]
    before = log_of(folder)
    for rows, told in (
        ((*check, "+", "type=check", "item=lint"), "row 2 of 2: 2 problems with this check row"),
        ((*check, "+"), "a row has no field"),
        ((*check, "+", "type=code-release", "dry_run=yes"), "row 2 of 2 is an action, expected in a command"),
    ):
        ran = run_script("mode_log", "add", "--dir", folder, *rows)
        assert (ran.code, log_of(folder)) == (1, before)
        assert told in ran.err
    debug = opened("debug")
    one = ("result=disproven", "evidence=e")
    ran = run_script("mode_log", "add", "--dir", debug, *one, "hypothesis=a", "+", *one, "hypothesis=b")
    assert "row 1 of 2 is a test's result" in ran.err


def test_a_shipment_with_an_agreed_override_ends_whole(opened: Opened, run_script: Any):
    folder = opened("ship", "--agreed", "git tag v1; override changelog has v1; git commit -am changes")
    begin = ("type=code-release", "phase=identify", "target=v1", "notes=a release", "+", "phase=inventory", "notes=x")
    check = ("type=check", "item=Changelog has v1", "evidence=none")
    for rows in (begin, (*check, "status=fail")):
        assert run_script("mode_log", "add", "--dir", folder, *rows).code == 0
    assert "failing check" in run_script("mode_log", "summary", "--dir", folder).json["missing"][0]
    unasked = ("type=check", "item=lint", "evidence=x", "status=override")
    assert "'override lint' was not agreed" in run_script("mode_log", "add", "--dir", folder, *unasked).err
    prepare = ("phase=prepare", "notes=committed", "command=git push")
    assert "expected one that was agreed" in run_script("mode_log", "add", "--dir", folder, *prepare).err
    for row in (
        (*check, "status=override"),
        (*prepare[:2], "command=git commit -am changes"),
        ("type=code-release", "dry_run=yes"),
        ("type=rollback", "command=git tag -d v1", "status=planned"),
        ("type=code-release", "dry_run=no", "command=git tag v1", "approved=yes", "shipped=yes", "verified=yes"),
        ("phase=log", "notes=done"),
    ):
        ran = run_script("mode_log", "add", "--dir", folder, *row)
        assert ran.code == 0, ran.err
    done = run_script("mode_log", "summary", "--dir", folder).json
    assert (done["missing"], done.get("score"), done["next"]["action"]) == ([], None, "report")
    assert done["gate"] == {"passed": True, "reason": "no check fails; without a pass: Changelog has v1 (override)"}
    assert "| git tag v1 |" in (folder / "summary.md").read_text("utf-8")
    assert "- [!] Changelog has v1 (override)" in (folder / "checklist.md").read_text("utf-8")


def test_a_hunt_goes_on_until_a_cause_explains_all(opened: Opened, run_script: Any):
    folder = opened("debug")
    part = ("hypothesis=h1", *BUG, "leaves=the lows of 5 %")
    ran = run_script("mode_log", "add", "--dir", folder, *part)
    assert ran.json["missing"] == ["a cause of what the findings leave: the lows of 5 %"]
    assert "- **Leaves:** the lows of 5 %" in (folder / "findings.md").read_text("utf-8")
    lead = ("hypothesis=a refresh puts keys back", "result=inconclusive", "evidence=seen\nwhat would tell: its code")
    run_script("mode_log", "add", "--dir", folder, *lead)
    ran = run_script("mode_log", "add", "--dir", folder, "hypothesis=h2", *BUG[:3], "location=app.py:3", *BUG[4:])
    assert "location is given twice" not in ran.err and ran.code == 0, ran.err
    assert ran.json["missing"] == ["the result of, in the same words: a refresh puts keys back"]
    assert "what would tell: its code" in (folder / "summary.md").read_text("utf-8")
    done = run_script("mode_log", "summary", "--dir", folder).json
    assert done["next"]["action"] == "report" and "named with its reason" in done["next"]["reason"]
    assert not {"gate", "score", "agreed"} & set(done)
    again = (*lead[:1], "result=disproven", "evidence=its code was read")
    assert run_script("mode_log", "add", "--dir", folder, *again).json["next"]["action"] == "summary"


@pytest.mark.parametrize("name", ["debug", "debug/260325-0102-x", "elsewhere/260325-0102-x"])
def test_a_folder_that_open_did_not_make_is_refused(name: str, repo: Repo, run_script: Any):
    (repo.path / name).mkdir(parents=True)
    ran = run_script("mode_log", "add", "--dir", repo.path / name, "hypothesis=h")
    assert ran.code == 1
    assert os.listdir(repo.path / name) == []

"""The rules of the mode logs: what a row must be, what it counts for, how it is shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.modes import mode_entries, mode_pages, mode_rules, mode_score, ship_log
from autoresearch.modes.mode_entries import Context, ModeEntry
from autoresearch.modes.mode_schemas import OWASP, PHASES, SCHEMAS, STRIDE
from hypothesis import given
from hypothesis import strategies as st

FILES = {"app.py": 10}
BUG = {
    "result": "confirmed",
    "title": "Session dropped",
    "severity": "high",
    "location": "app.py:3",
    "hypothesis": "the cookie expires at once",
    "evidence": "max-age=0\nin the response",
    "reproduction": "curl -i /login",
    "impact": "nobody can log in",
    "root_cause": "seconds taken for days",
    "suggested_fix": "multiply",
}
FINDING = {
    "type": "finding",
    "title": "SQL injection",
    "location": "app.py:3",
    "scenario": "a quote in the name",
    "impact": "all rows are read",
    "confidence": "high",
    "severity": "critical",
    "stride": "tampering",
    "owasp": "A03",
    "mitigation": "bind the value",
    "evidence": "f-string in execute",
}


def add(mode: str, *rows: dict[str, str], **context: Any) -> tuple[ModeEntry, ...]:
    """The entries after these rows, each checked against those before it."""
    entries: tuple[ModeEntry, ...] = ()
    for row in rows:
        fixed: dict[str, Any] = {"files": FILES, "now": "2026-03-25T01:02:03Z", **context}
        entries += (mode_rules.check_row(SCHEMAS[mode], row, Context(history=entries, **fixed)),)
    return entries


def refused(mode: str, *rows: dict[str, str], **context: Any) -> str:
    """The refusal of the last row."""
    add(mode, *rows[:-1], **context)
    with pytest.raises(Refusal) as caught:
        add(mode, *rows, **context)
    return str(caught.value)


def without(row: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in row.items() if key != name}


@pytest.mark.parametrize("name", sorted(set(BUG) - {"result"}))
def test_a_confirmed_bug_needs_every_field(name: str):
    assert f"{name} is missing" in refused("debug", without(BUG, name))


@pytest.mark.parametrize("name", sorted(set(FINDING) - {"type"}))
def test_a_security_finding_needs_every_field(name: str):
    assert f"{name} is missing" in refused("security", without(FINDING, name))


def test_a_refusal_names_every_problem_at_once():
    wrong = {**without(BUG, "impact"), "severity": "huge", "location": "nope.py:3", "colour": "red"}
    told = refused("debug", wrong)
    parts = (
        "4 problems",
        "impact is missing",
        "severity is 'huge'",
        "'nope.py:3': no such file",
        "'colour' is no",
    )
    assert [part for part in parts if part not in told] == []
    assert "severity is missing" not in told


@pytest.mark.parametrize(
    ("location", "fault"),
    [
        ("app.py", "is not path:line"),
        ("app.py:0", "is not path:line"),
        ("app.py:11", "the file has 10 lines"),
        ("app.py:3, other.py:1", "'other.py:1': no such file"),
    ],
)
def test_a_location_is_a_line_of_a_file(location: str, fault: str):
    assert fault in refused("debug", {**BUG, "location": location})


@pytest.mark.parametrize("location", ["app.py:10", "app.py:3:7", "app.py:3-9", "app.py:1, app.py:2"])
def test_locations_of_every_usual_form_are_taken(location: str):
    assert add("debug", {**BUG, "location": location})[0].get("location") == location


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("severity", "CRITICAL", "critical"),
        ("stride", "S, T,tampering", "spoofing, tampering"),
        ("stride", "Denial-of-Service", "denial of service"),
        ("owasp", "a1:2021 Broken Access Control", "A01"),
        ("owasp", "A10", "A10"),
        ("owasp", "injection", "A03"),
        ("lens", "supply-chain", "supply chain"),
    ],
)
def test_a_choice_is_taken_in_any_usual_spelling(field: str, given: str, kept: str):
    assert add("security", {**FINDING, field: given})[0].get(field) == kept


@pytest.mark.parametrize("given", ["A11", "A00", "A100", "A"])
def test_an_owasp_category_that_does_not_exist_is_refused(given: str):
    assert "owasp is" in refused("security", {**FINDING, "owasp": given})


def test_the_same_finding_twice_counts_once():
    assert "iteration 1 already records it" in refused("security", FINDING, FINDING)
    assert "iteration 1 already records it" in refused("debug", BUG, BUG)


@pytest.mark.parametrize(
    ("mode", "row", "back"),
    [
        ("debug", BUG, {"result": "disproven", "hypothesis": BUG["hypothesis"], "evidence": "ran another copy"}),
        ("security", FINDING, {"type": "finding", "result": "disproven", "title": FINDING["title"], "evidence": "no"}),
    ],
)
def test_a_confirmed_row_can_be_taken_back_and_confirmed_anew(mode: str, row: dict[str, str], back: dict[str, str]):
    schema = SCHEMAS[mode]
    assert "to take it back" in refused(mode, row, row)
    entries = add(mode, row, back)
    assert mode_score.confirmed(entries) == ()
    assert mode_score.counts(schema, entries)[row["severity"]] == 0
    again = add(mode, row, back, row)
    assert mode_score.confirmed(again) == again[-1:]
    elsewhere = add(mode, row, {**back, "location": "app.py:9"})
    assert len(mode_score.confirmed(elsewhere)) == 1


def test_a_ruled_out_hypothesis_needs_its_evidence():
    row = {"hypothesis": "the clock is wrong", "result": "disproven"}
    assert "evidence is missing" in refused("debug", row)
    assert add("debug", {**row, "description": "ntp is in step"})[0].get("evidence") == "ntp is in step"


def test_coverage_says_what_and_how():
    told = refused("security", {"type": "coverage", "evidence": "read all handlers"})
    assert "stride or owasp is missing" in told
    assert "evidence is missing" in refused("security", {"type": "coverage", "stride": "S"})


def test_the_score_is_the_published_sum():
    clean = {"type": "coverage", "stride": ",".join(STRIDE[:3]), "owasp": "A01,A02", "evidence": "read"}
    found = [{**FINDING, "title": f"hole {number}"} for number in range(16)]
    entries = add("security", clean, *found)
    # 4 of 6 STRIDE (tampering is among the 3), 3 of 10 OWASP, capped at 15 findings.
    assert mode_score.score(SCHEMAS["security"], add("security", clean)) == Decimal("24.5")
    assert mode_score.score(SCHEMAS["security"], entries) == Decimal("17.5") + Decimal("10.5") + 30


def test_everything_looked_at_with_fifteen_findings_is_a_hundred():
    clean = {"type": "coverage", "stride": ",".join(STRIDE), "owasp": ",".join(OWASP), "evidence": "read"}
    entries = add("security", clean, *({**FINDING, "title": f"hole {n}"} for n in range(15)))
    assert mode_score.score(SCHEMAS["security"], entries) == 100


@pytest.mark.parametrize(
    ("severity", "fail_on", "passed"),
    [("critical", "high", False), ("high", "high", False), ("medium", "high", True), ("critical", "", True)],
)
def test_the_gate_fails_at_and_above_its_severity(severity: str, fail_on: str, passed: bool):
    entries = add("security", {**FINDING, "severity": severity})
    assert mode_score.gate(SCHEMAS["security"], entries, (), fail_on).passed is passed


def test_an_audit_of_nothing_does_not_pass_a_gate():
    assert not mode_score.gate(SCHEMAS["security"], (), (), "critical").passed


def test_an_inconclusive_finding_does_not_fail_the_gate():
    row = {**FINDING, "result": "inconclusive"}
    assert mode_score.gate(SCHEMAS["security"], add("security", row), (), "low").passed


FIRST = {"status": "baseline", "metric": "12", "description": "mypy"}
KEEP = {"status": "keep", "metric": "9", "commit": "a1b2c3d", "guard": "pass", "description": "narrowed"}


def test_fix_rows_carry_the_seven_columns_and_their_delta():
    last = add("fix", FIRST, KEEP)[1]
    record = mode_entries.record(SCHEMAS["fix"], last)
    assert record == "1\ta1b2c3d\t9\t-3\tpass\tkeep\tnarrowed\n"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"metric": "12"}, "must be lower"),
        ({"metric": "nan"}, "expected one finite decimal"),
        ({"commit": "-"}, "commit is missing"),
        ({"commit": "HEAD~1"}, "expected a hash"),
        ({"guard": "fail"}, "guard failed"),
        ({"delta": "-4"}, "delta is -3"),
        ({"finding": "F1"}, "finding is 'F1'"),
    ],
)
def test_a_keep_that_is_none_is_refused(change: dict[str, str], fault: str):
    assert fault in refused("fix", FIRST, {**KEEP, **change})


def test_each_category_has_its_own_retained_number():
    entries = add(
        "fix",
        {**FIRST, "category": "build"},
        {**FIRST, "category": "types", "metric": "57"},
        {**KEEP, "category": "types", "metric": "50"},
    )
    assert mode_score.remaining(entries) == {"build": "12", "types": "50"}
    assert mode_score.next_category(entries) == "build"


def test_a_keep_that_mutes_is_refused_and_a_discard_is_noted():
    muted = ("a.py:3: # noqa",)
    assert "a.py:3: # noqa" in refused("fix", FIRST, KEEP, muted=muted)
    entries = add("fix", FIRST, {**KEEP, "status": "discard"}, muted=muted)
    assert entries[1].get("muted") == "1"


def test_imported_findings_stay_open_until_a_keep_names_them():
    queue = ({"id": "F1", "severity": "high", "title": "Session dropped"},)
    before, after = (add("fix", FIRST, {**KEEP, "finding": name}, queue=queue) for name in ("-", "F1"))
    assert not mode_score.gate(SCHEMAS["fix"], before, queue, "medium").passed
    assert mode_score.gate(SCHEMAS["fix"], after, queue, "medium").passed


BEGIN = {"type": "code-pr", "phase": "identify", "target": "main", "notes": "one pull request"}
CHECK = {"type": "check", "item": "tests", "status": "pass", "evidence": "312 passed"}
REAL = {"type": "code-pr", "target": "main", "dry_run": "no", "shipped": "yes", "approved": "yes"}
READY = (
    BEGIN,
    {"phase": "inventory", "notes": "3 commits"},
    CHECK,
    {"phase": "prepare", "notes": "pushed"},
    {"type": "code-pr", "target": "main", "dry_run": "yes"},
)


def test_a_shipment_goes_through_its_phases_in_order():
    end = ({**REAL, "verified": "yes"}, {"phase": "log", "notes": "done"})
    assert ship_log.phases_done(add("ship", *READY, *end)) == PHASES


def test_no_phase_is_skipped():
    assert "comes after inventory, checklist" in refused("ship", BEGIN, {"phase": "prepare", "notes": "x"})
    assert "comes after prepare, dry-run" in refused("ship", *READY[:3], REAL)


def test_a_dry_run_is_closed_without_a_shipment():
    log = {"phase": "log", "notes": "dry run only"}
    entries = add("ship", *READY, log)
    assert "ship" not in ship_log.phases_done(entries)
    assert not any("phase" in item for item in mode_score.missing(SCHEMAS["ship"], entries))
    assert "comes after verify" in refused("ship", *READY, {**REAL, "verified": "no"}, log)
    assert "comes after inventory, checklist" in refused("ship", BEGIN, log)


def test_only_confirmed_actions_ship():
    assert "approved=yes is missing" in refused("ship", *READY, without(REAL, "approved"))
    assert "approved=yes is missing" in refused("ship", *READY, {**REAL, "approved": "no"})
    undone = {"type": "rollback", "command": "git revert", "status": "done"}
    assert "approved=yes is missing" in refused("ship", undone)


@pytest.mark.parametrize("command", ["twine upload dist/*", "git", ""])
def test_only_an_agreed_command_ships(command: str):
    agreed = "git push origin v2; git push origin main"
    taken = add("ship", *READY, {**REAL, "command": "git push origin main"}, agreed=agreed)
    assert taken[-1].get("shipped") == "yes"
    assert "expected one that was agreed" in refused("ship", *READY, {**REAL, "command": command}, agreed=agreed)


def test_agreed_commands_are_asked_for_until_they_are_done():
    agreed = "git tag v2; for i in 1 2; do echo $i; done; git push origin v2; override lint; git tag -d v2"
    plan = {"type": "rollback", "command": "git tag -d v2", "status": "planned"}
    before = add("ship", *READY[:4], plan, agreed=agreed)
    assert ship_log.undone(before, agreed) == []  # their time comes after the dry run
    done = [{**REAL, "command": command} for command in ("git tag v2", "for i in 1 2; do echo $i; done")]
    entries = add("ship", *READY, plan, {**done[0], "verified": "yes"}, done[1], agreed=agreed)
    missing = mode_score.missing(SCHEMAS["ship"], entries, (), agreed)
    assert "agreed and not entered as done: git push origin v2" in missing
    assert not any("tag" in item or "echo" in item or "lint" in item for item in missing)
    assert any(item.startswith("phase verify") for item in missing)  # one of the two was not


def test_a_failing_check_holds_the_shipment_back():
    failing = {**CHECK, "item": "changelog", "status": "fail"}
    assert "the checklist fails on changelog" in refused("ship", *READY, failing, REAL)
    assert add("ship", *READY, failing, {**REAL, "force": "yes"})[-1].get("shipped") == "yes"


def test_readiness_counts_the_last_state_of_each_item():
    rows = [{**CHECK, "item": item, "status": state} for item, state in
            (("a", "fail"), ("b", "pass"), ("c", "skip"), ("d", "fail"), ("a", "pass"))]  # fmt: skip
    entries = add("ship", *rows)
    assert [entry.get("checklist_score") for entry in entries] == ["0", "50", "50", "33", "66"]


def test_a_score_is_not_typed():
    assert "checklist_score is computed" in refused("ship", CHECK, {**CHECK, "checklist_score": "80"})


def test_a_dry_run_ships_nothing():
    assert "a dry run ships nothing" in refused("ship", {**REAL, "dry_run": "yes"})


def test_a_check_belongs_to_the_shipment_before_it():
    entry = add("ship", BEGIN, CHECK)[1]
    assert (entry.get("type"), entry.get("target"), entry.kind) == ("code-pr", "main", "check")


ROWS = [
    ("debug", BUG),
    ("security", FINDING),
    ("fix", FIRST),
    ("ship", BEGIN),
    ("ship", CHECK),
    ("ship", REAL),
]


@pytest.mark.parametrize(("mode", "row"), ROWS)
def test_what_is_recorded_reads_back_the_same(mode: str, row: dict[str, str]):
    entries = add(mode, *READY, row) if row is REAL else add(mode, row)
    schema = SCHEMAS[mode]
    log = mode_entries.head(schema, "x", "now") + "".join(mode_entries.record(schema, entry) for entry in entries)
    assert mode_entries.read(schema, log) == entries
    assert mode_entries.whole_length(log.encode()) == len(log.encode())


@given(st.text(min_size=1), st.text())
def test_no_text_breaks_a_record_or_a_table(title: str, evidence: str):
    schema = SCHEMAS["debug"]
    row = {**BUG, "title": f"x{title}", "description": f"y{title}", "evidence": f"z{evidence}"}
    (entry,) = add("debug", row)
    log = mode_entries.head(schema, "x", "now") + mode_entries.record(schema, entry)
    assert mode_entries.read(schema, log) == (entry,)
    folder = mode_pages.Folder(schema, "n", (entry,), (), mode_score.ModeGate(True, "-"))
    table = [line for line in mode_pages.render(folder)["summary.md"].split("\n") if line.startswith("| F1")]
    assert len(table) == 1
    assert table[0].replace("\\\\", "").replace("\\|", "").count("|") == 5


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_torn_record_is_no_record(cut: int):
    schema = SCHEMAS["debug"]
    first, second = add("debug", BUG, {**BUG, "hypothesis": "another"})
    whole = (mode_entries.head(schema, "x", "now") + mode_entries.record(schema, first)).encode()
    torn = whole + mode_entries.record(schema, second).encode()[:-cut]
    assert mode_entries.whole_length(torn) == len(whole)


def test_an_edited_log_is_not_guessed_at():
    schema = SCHEMAS["debug"]
    for line in ("1\tonly two", '# event: {"a"'):
        with pytest.raises(Refusal, match="edited by hand"):
            mode_entries.read(schema, f"{mode_entries.head(schema, 'x', 'now')}{line}\n")


@pytest.mark.parametrize("text", ["<script>", "a|b", "[x](http://e)", "`code`", "*b*", "__init__", "&lt;", "a\nb"])
def test_text_is_never_markup(text: str):
    shown = mode_pages.escaped(text)
    for mark in "<>|[]`*":
        assert shown.count(mark) == shown.count("\\" + mark)
    assert "\n" not in shown
    assert "__" not in shown
    assert "&lt" not in shown


def test_a_block_cannot_close_its_fence():
    entry = add("debug", {**BUG, "evidence": "a\n```\n# out\n`````"})[0]
    folder = mode_pages.Folder(SCHEMAS["debug"], "n", (entry,), (), mode_score.ModeGate(True, "-"))
    page = mode_pages.render(folder)["findings.md"]
    assert page.count("\n``````") == 2


@pytest.mark.parametrize("mode", sorted(SCHEMAS))
def test_every_promised_file_is_rendered_from_nothing(mode: str):
    folder = mode_pages.Folder(SCHEMAS[mode], "n", (), (), mode_score.ModeGate(True, "-"))
    pages = mode_pages.render(folder)
    assert tuple(pages) == SCHEMAS[mode].files
    assert all(page.startswith("# ") and page.endswith("\n") for page in pages.values())


def test_slugs_are_safe_names():
    assert mode_entries.slug_of("../API: audit é/2") == "api-audit-2"
    with pytest.raises(Refusal, match="slug"):
        mode_entries.slug_of("../..")

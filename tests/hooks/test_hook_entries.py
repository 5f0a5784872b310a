"""Our entries come and go in a hooks file; everybody else's stay where they are."""

from __future__ import annotations

from typing import Any

import pytest
from autoresearch.hooks import hook_entries
from autoresearch.kernel.core.errors import Refusal
from hypothesis import given
from hypothesis import strategies as st

THEIRS: dict[str, Any] = {"hooks": [{"type": "command", "command": "python3 /abs/hook.py", "timeout": 20}]}
NAMES = [name for name, _, _ in hook_entries.EVENTS.values()]
groups = st.lists(
    st.sampled_from([THEIRS, {"matcher": "x", **THEIRS}, {"hooks": [], "matcher": "y"}]), min_size=1, max_size=3
)
documents = st.builds(
    lambda lists, extra: {**extra, **({"hooks": lists} if lists else {})},
    st.dictionaries(st.sampled_from([*NAMES, "PreToolUse"]), groups),
    st.dictionaries(st.sampled_from(["note", "version"]), st.integers()),
)


def install(document: dict[str, Any], python: str = "/usr/bin/python3") -> dict[str, Any]:
    return hook_entries.merged(document, python, "/a folder/autoresearch_hooks_ctl.py")


@given(documents)
def test_installing_and_removing_leaves_no_trace(document: dict[str, Any]) -> None:
    assert hook_entries.without(install(document)) == document


@given(documents)
def test_what_others_have_keeps_its_place(document: dict[str, Any]) -> None:
    after = install(document)["hooks"]
    for name, found in document.get("hooks", {}).items():
        assert after[name][: len(found)] == found
    assert {key: value for key, value in install(document).items() if key != "hooks"} == {
        key: value for key, value in document.items() if key != "hooks"
    }


def test_installing_again_replaces_in_place() -> None:
    first = install({"hooks": {"Stop": [THEIRS]}}, "/old/python3")
    first["hooks"]["Stop"].append(THEIRS)
    again = install(first)
    assert [hook_entries._others(group) for group in again["hooks"]["Stop"]] == [THEIRS, None, THEIRS]
    assert "/usr/bin/python3" in str(again["hooks"]["Stop"][1]) and "/old" not in str(again)


def test_removing_ours_keeps_the_position_of_what_follows() -> None:
    document = install({})
    document["hooks"]["Stop"].append(THEIRS)
    assert hook_entries.without(document) == {"hooks": {"Stop": [{"hooks": []}, THEIRS]}}


def test_a_group_that_somebody_shares_with_us_keeps_their_part() -> None:
    document = install({})
    document["hooks"]["Stop"][0]["hooks"].insert(0, THEIRS["hooks"][0])
    assert hook_entries.without(document) == {"hooks": {"Stop": [THEIRS]}}


@pytest.mark.parametrize("document", [{"hooks": []}, {"hooks": {"Stop": {}}}])
def test_what_codex_would_not_read_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="does not map events to lists"):
        install(document)


# Noted by Codex CLI 0.171.0 for these very hooks.
SEEN = [
    ("stop", THEIRS, "3184cd02745a1131f7f230fa81298b76ebfd3e430f04b5e4bef06ad9e8d0f37d"),
    (
        "session_start",
        {"matcher": "compact", "hooks": [{"type": "command", "command": "python3 /abs/hook.py"}]},
        "7958541507c60899ef6c7f00c0fcd2a788e0fa69c2114667f66867056d2df262",
    ),
]


@pytest.mark.parametrize(("event", "group", "known"), SEEN)
def test_the_fingerprint_is_the_one_that_codex_notes(event: str, group: dict[str, Any], known: str) -> None:
    assert hook_entries.fingerprint(event, group) == f"sha256:{known}"


def test_trust_is_told_apart() -> None:
    document = install({"hooks": {"Stop": [THEIRS]}})
    ours = document["hooks"]["Stop"][1]
    noted: dict[str, dict[str, Any]] = {
        "/h.json:stop:1:0": {"trusted_hash": hook_entries.fingerprint("stop", ours)},
        "/h.json:interrupt:0:0": {"trusted_hash": "sha256:old"},
    }
    assert hook_entries.trust(document, "/h.json", noted) == {
        "Stop": "trusted",
        "SessionStart": "untrusted",
        "Interrupt": "changed",
    }
    noted["/h.json:stop:1:0"]["enabled"] = False
    assert hook_entries.trust(document, "/h.json", noted)["Stop"] == "switched off"
    assert set(hook_entries.trust({}, "/h.json", noted).values()) == {"not installed"}

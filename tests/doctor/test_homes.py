"""The doctor beside real sessions: some of the homes of `tests.doctor.homes`; the table of all is in homes.md."""

from __future__ import annotations

import pytest

from tests.conftest import require
from tests.doctor import homes

# One for each kind of disagreement that was found and mended.
SOME = (
    "sound",
    "a value of a wrong type",
    "broken project settings, not trusted",
    "settings with a byte-order mark",
    "untrusted, over several lines",
    "no sign-in",
    "a second link to the same skill",
    "only a broken copy",
    "switched off by path",
    "hooks switched off altogether",
)


@pytest.mark.codex
@pytest.mark.parametrize("name", SOME)
def test_the_doctor_says_what_a_session_shows(name: str):
    assert homes.study(name, require("codex")).wrong == ()

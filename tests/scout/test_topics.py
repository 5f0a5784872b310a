"""What short and vague wishes are about."""

from __future__ import annotations

import pytest
from autoresearch.scout import topics


@pytest.mark.parametrize(
    ("goal", "first"),
    [
        ("the tests miss a lot, can you improve that", "coverage"),
        ("this module is barely tested", "coverage"),
        ("hier ist kaum getestet", "coverage"),
        ("zu wenige Tests", "coverage"),
        ("der Import dauert zu lange, mach das schneller", "startup"),
        ("importing the package takes forever", "startup"),
        ("it is slow to import", "startup"),
        ("l'import est trop lent", "startup"),
        ("die API ist lahm, ich weiß nicht wo ich anfangen soll", "http"),
        ("rendering takes ages", "speed"),
        ("das Rendern dauert viel zu lange", "speed"),
        ("das ist alles so träge", "speed"),
        ("some tests fail since the update", "tests"),
        ("importing csv files fails", "tests"),
        ("the important parts are hard to read", ""),
    ],
)
def test_a_vague_wish_has_its_topic(goal: str, first: str):
    assert (topics.topics(goal) or ("",))[0] == first

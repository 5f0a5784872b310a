"""Hunks of real patches, and what some of them give."""

from __future__ import annotations

import itertools

import pytest
from autoresearch.kernel.run.intent import TrialRepo
from autoresearch.kernel.system.gittrees import Trees
from autoresearch.salvage import pieces
from autoresearch.salvage.pieces import Piece
from autoresearch.salvage.second_look import parts_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Repo

LINES = st.lists(
    st.sampled_from([b"a", b"b", b"c", b"", b"\r", b"- x", b"@@ -1 +1 @@", b"diff --git a/b b/b"]), max_size=30
)


def parts(repo: Repo, base: str):
    """The last commit's change in pieces."""
    found = parts_of(TrialRepo(str(repo.path), base, repo.git("rev-parse", "HEAD")))
    assert found is not None
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(LINES, LINES, st.booleans(), st.booleans())
def test_all_hunks_give_the_new_content_and_none_the_old(
    repo: Repo, old: list[bytes], new: list[bytes], ends: bool, newly: bool
):
    texts = [b"\n".join(lines) + (b"\n" if last and lines else b"") for lines, last in ((old, ends), (new, newly))]
    (repo.path / "text").write_bytes(texts[0])
    base = repo.commit("old")
    (repo.path / "text").write_bytes(texts[1])
    repo.commit("new")
    (hunks,) = pieces.sections(Trees(repo.path).patch(base, "HEAD", 1 << 20)) or [()]
    assert pieces.applied(texts[0], hunks) == texts[1]
    assert pieces.applied(texts[0], ()) == texts[0]


def test_every_choice_of_hunks_is_what_git_makes_of_it(repo: Repo):
    repo.write("text", "".join(f"line {n}\n" for n in range(40)))
    base = repo.commit("old")
    repo.write("text", "".join(f"line {n}\n" for n in range(40) if n != 3).replace("line 20", "new 20") + "more\n")
    repo.commit("new")
    found = parts(repo, base)
    assert len(found.units) == 3
    whole = repo.read("text")
    for count in range(4):
        for stay in itertools.combinations(found.units, count):
            commit = found.commit(stay, "part")
            shown = repo.git("show", f"{commit}:text") + "\n"
            assert ("line 3\n" not in shown) == (found.units[0] in stay)
            assert ("new 20" in shown) == (found.units[1] in stay)
            assert shown.endswith("more\n") == (found.units[2] in stay)
            assert (shown == whole) == (count == 3)


@pytest.mark.parametrize("kind", ["added", "deleted", "binary", "mode"])
def test_what_is_no_text_change_is_one_piece(repo: Repo, kind: str):
    repo.write("kept", "a\n")
    if kind != "added":
        repo.write("odd", "x\n" * 40)
    base = repo.commit("old")
    repo.write("kept", "b\n")
    if kind == "deleted":
        (repo.path / "odd").unlink()
    elif kind == "mode":
        repo.write("odd", "y\n" * 40)
        (repo.path / "odd").chmod(0o755)
    else:
        (repo.path / "odd").write_bytes(b"\0\1\2" if kind == "binary" else b"x\n" * 40)
    head = repo.commit("new")
    found = parts(repo, base)
    assert found.units == (Piece("kept", 0), Piece("odd"))
    trees = Trees(repo.path)
    assert trees.entries(base, found.commit([Piece("odd")], "part")) == found.entries[1:]
    assert trees.tree_of(found.commit(found.units, "part")) == trees.tree_of(head)

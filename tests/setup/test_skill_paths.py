"""What names a checkout and what names the skill inside it, however it is spelt."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.disk import layout
from autoresearch.setup import evaluator, skill_paths

SKILL = ".agents/skills/codex-autoresearch"
CHECK = f"{SKILL}/scripts/autoresearch_check.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout with a link to this skill, another folder of that shape, and a neighbour whose name begins alike."""
    made = tmp_path / "my repo"
    (made / SKILL).parent.mkdir(parents=True)
    (made / SKILL).symlink_to(layout.SKILL_ROOT)
    (made / "other/scripts").mkdir(parents=True)
    (made / "pkg").mkdir()
    return made


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("python3 '{tree}/" + CHECK + "' mypy src", False),
        ("PATH=/opt/bin:$PATH python3 {tree}/" + CHECK + " mypy src", False),
        ("python3 " + CHECK + " mypy src", False),
        ("cd '{tree}' && python3 '{tree}/" + CHECK + "' mypy src", True),
        ("python3 '{tree}/" + CHECK + "' mypy '{tree}/src'", True),
        ("python3 '{tree}/other/scripts/autoresearch_check.py' mypy src", True),
        ("python3 {tree}/bench.py", True),
        ("cat {tree}", True),
        ("cat {tree}-notes {tree}2/x {tree}.txt", False),
        ("python3 {skill}/scripts/autoresearch_check.py docs .", False),
        ("true", False),
    ],
)
def test_a_checkout_is_named_by_its_path_but_not_by_that_of_the_skill_in_it(tree: Path, command: str, names: bool):
    text = command.replace("{tree}", str(tree)).replace("{skill}", str(layout.SKILL_ROOT))
    assert skill_paths.names_checkout(text, tree) is names


@pytest.mark.parametrize(
    ("command", "reached"),
    [
        (f"python3 {CHECK} mypy src", (SKILL,)),
        (f"./{CHECK} mypy src", (SKILL,)),
        (f"cd pkg && python3 ../{CHECK} mypy .", (SKILL,)),
        (f"sh -c 'python3 {CHECK} docs .'", (SKILL,)),
        (f"hyperfine 'python3 {CHECK} docs .'", (SKILL,)),
        ("python3 other/scripts/autoresearch_check.py docs", ()),
        ("python3 {tree}/" + CHECK, ()),
        ("cat src/value", ()),
    ],
)
def test_what_the_checks_reach_by_a_relative_path_is_laid_into_another_checkout(
    tree: Path, tmp_path: Path, command: str, reached: tuple[str, ...]
):
    config = Config(guard=command.replace("{tree}", str(tree)))
    assert skill_paths.reached(tree, config) == reached
    made = tmp_path / "made"
    made.mkdir()
    for _ in range(2):
        skill_paths.lay(tree, made, config)
    assert [path.name for path in made.iterdir()] == [".agents"] * len(reached)
    assert not reached or (made / CHECK).samefile(layout.SKILL_ROOT / "scripts/autoresearch_check.py")


def test_nothing_is_laid_over_what_is_there_nor_outside(tree: Path, tmp_path: Path):
    config = Config(verify=f"python3 {CHECK} docs .")
    full, leading = tmp_path / "full", tmp_path / "leading"
    (full / SKILL).mkdir(parents=True)
    (full / SKILL / "mine").write_text("kept")
    leading.mkdir()
    (tmp_path / "aim").mkdir()
    (leading / ".agents").symlink_to(tmp_path / "aim")
    for made in (full, leading):
        skill_paths.lay(tree, made, config)
    assert [path.name for path in (full / SKILL).iterdir()] == ["mine"]
    assert list((tmp_path / "aim").iterdir()) == []


@pytest.mark.parametrize("spelt", [CHECK, f"pkg/../{CHECK}", "{tree}/" + CHECK])
def test_the_skills_check_is_locked_whole_and_nothing_else_of_the_skill(tree: Path, spelt: str):
    config = Config(verify=f"python3 '{spelt.replace('{tree}', str(tree))}' docs pkg")
    names = evaluator.files(tree, config)
    assert any(name.endswith("/checks/shape.py") for name in names)
    assert [name for name in names if not name.endswith(CHECK) and "/autoresearch/checks/" not in name] == []

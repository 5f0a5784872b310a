"""What an agent reads is short, whole, said once, and every command it quotes is accepted by the script."""

from __future__ import annotations

import functools
import json
import re
import shlex
import subprocess
import sys
from itertools import combinations
from typing import Any

import pytest

from tests.conftest import ROOT, SCRIPTS
from tests.docs import markdown
from tests.docs.markdown import Command
from tests.house.source import project_files

NAMES = """
    core-principles runtime-hard-invariants loop-workflow autonomous-loop-protocol interaction-wizard
    structured-output-spec modes plan-workflow debug-workflow fix-workflow security-workflow ship-workflow
    exec-workflow results-logging lessons-protocol pivot-protocol web-search-protocol environment-awareness
    parallel-experiments-protocol session-resume-protocol health-check-protocol hypothesis-perspectives
    """.split()
LOOP_PATH = ("interaction-wizard", "runtime-hard-invariants", "loop-workflow")
# Tools differ from model to model, so a document speaks of commands and edits.
TOOLS = """
    exec_command apply_patch write_stdin update_plan spawn_agent wait_agent view_image request_user_input
    tool_search create_goal update_goal
    """.split()


def text_of(name: str) -> str:
    return markdown.read(markdown.REFERENCES / f"{name}.md")


def front_matter() -> dict[str, str]:
    """The keys of SKILL.md: plain values, or double-quoted ones, whose escapes are JSON's."""
    head = markdown.read(ROOT / "SKILL.md")[4:].split("\n---\n")[0]
    pairs = dict(line.split(": ", 1) for line in head.split("\n"))
    return {key: json.loads(value) if value.startswith('"') else value for key, value in pairs.items()}


@functools.cache
def help_of(script: str, sub: str) -> str:
    """What the real script says to `--help`, empty when there is no such subcommand."""
    command = [sys.executable, str(SCRIPTS / f"autoresearch_{script}.py"), *filter(None, [sub]), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def refused_flags(command: Command) -> list[str]:
    shown = help_of(command.script, command.sub)
    if not shown:
        return [f"{command.where}: no {command.sub or 'help'}"]
    missing = [flag for flag in command.flags if not re.search(rf"{flag}(?![\w-])", shown)]
    return [f"{command.where}: {flag} is not in the help" for flag in missing]


def test_all_references_are_there_and_no_others():
    assert sorted(path.stem for path in markdown.REFERENCES.glob("*.md")) == sorted(NAMES)


def test_skill_says_where_each_reference_is_needed():
    index = markdown.read(ROOT / "SKILL.md").partition("## 5.")[2]
    assert [name for name in NAMES if f"`{name}.md`" not in index] == []


def test_words_stay_in_budget():
    words = {path.name: len(markdown.read(path).split()) for path in markdown.protocols()}
    assert words["SKILL.md"] <= 1300
    assert sum(words.values()) <= 13000


def test_a_loop_run_reads_little():
    skill = markdown.read(ROOT / "SKILL.md")
    before, *after = (f"{name}.md" for name in LOOP_PATH)
    assert f"&& cat {before}\n" in skill and "&& cat " + " ".join(after) + "\n" in skill
    path = len(skill) + sum(len(text_of(name)) for name in LOOP_PATH)
    assert path <= 26000
    # Before "go" the scout's page and the dry run's answer come on top, under 26,000 in all.
    assert len(skill) + len(text_of(LOOP_PATH[0])) <= 17500
    # With what an unlucky run opens as well.
    assert path + len(text_of("pivot-protocol")) + len(text_of("web-search-protocol")) <= 30000


@pytest.mark.parametrize("path", markdown.documents(), ids=lambda path: path.name)
def test_no_document_names_a_models_tool(path):
    named = [tool for tool in TOOLS if re.search(rf"\b{tool}\b", markdown.read(path))]
    assert named == []


def test_protocols_speak_of_commands():
    assert [path.name for path in markdown.protocols() if re.search(r"\bshell\b", markdown.read(path))] == []


def test_each_rule_has_one_home():
    found = {path.name: markdown.shingles(path, 12) for path in markdown.protocols()}
    shared = {(a, b): found[a] & found[b] for a, b in combinations(found, 2)}
    assert {pair: " ".join(min(same)) for pair, same in shared.items() if same} == {}


# What the protocols promise, by words that tell the rule, and the one page where it stands.
HOMES = {
    "pivot-protocol": [
        "3 failures in a row",
        "5 non-keeps in a row, refines counted",
        "2 pivots",
        "3 pivots",
        "names what changes",
        "names what is abandoned and what replaces it",
    ],
    "web-search-protocol": ["first 3 iterations", "2 iterations apart", "3 in any 10", "no names of the project"],
    "autonomous-loop-protocol": [
        "same crash five times in a row",
        "scope was deleted from outside",
        "every 10 iterations, every 5 after one compaction",
        "Keep labels gate retention",
        "the stop condition holds for the retained result, labels included",
    ],
    "health-check-protocol": [
        *("under 1 GB", "under 500 MB"),
        *("3 times the average of the 5 before", "twice the retained code's time"),
    ],
    "loop-workflow": ["two reworks", "three quick fixes", "under one per cent", "first five hypotheses"],
    "interaction-wizard": [
        "One to five rounds, never none",
        "At most 12 lines",
        "choose foreground or background and say",
        "Inside the scope it must be committed",
    ],
    "runtime-hard-invariants": ["Ask nothing", "at every fifth trial", "the user may be asleep"],
    "session-resume-protocol": ["`mini_wizard`", "`tsv_fallback`", "archived as `.prev`"],
    "hypothesis-perspectives": ["A tie goes to the minimalist"],
    "parallel-experiments-protocol": [
        *("4 cores, 8 GB of memory and 5 GB", "the least of three, the number asked for, and half"),
    ],
    "environment-awareness": ["NVIDIA, Ascend, ROCm, Apple"],
    "lessons-protocol": ["at most 50 old entries"],
    "exec-workflow": ["the number of iterations included", "none are written"],
    "debug-workflow": ["five hypotheses in a row without a confirmation"],
    "fix-workflow": ["build and syntax", "three different causes"],
    "security-workflow": ["of 6 for 35 points", "A01 to A10", "never copied"],
    "ship-workflow": ["for each item that the user does without", "`--checklist-only`", "`--monitor N`"],
    "plan-workflow": ["Propose two or three scopes", "never print a block whose check has not run"],
}


@pytest.mark.parametrize(("page", "words"), [(page, words) for page, rules in HOMES.items() for words in rules])
def test_each_promise_stands_on_one_page(page, words):
    texts = {path.stem: " ".join(re.sub(r"[*#>]", "", markdown.read(path)).split()) for path in markdown.protocols()}
    assert [name for name, text in texts.items() if words in text] == [page]


def test_a_repeated_rule_would_be_seen(tmp_path):
    text = text_of("pivot-protocol").split("\n\n")[1]
    copy = tmp_path / "copy.md"
    copy.write_text(f"Before.\n\n{text}\n")
    assert markdown.shingles(copy, 12) & markdown.shingles(markdown.REFERENCES / "pivot-protocol.md", 12)


def test_front_matter_is_valid():
    assert markdown.read(ROOT / "SKILL.md").startswith("---\n")
    values = front_matter()
    assert set(values) <= {"name", "description", "license", "allowed-tools", "metadata"}
    assert values["name"] == "codex-autoresearch"
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", values["name"]) and len(values["name"]) <= 64
    description = values["description"]
    assert 0 < len(description) <= 1024
    assert not set("<>\n") & set(description) and not description.startswith("[TODO:")


def test_interface_is_valid():
    text = markdown.read(ROOT / "agents" / "openai.yaml")
    values = dict(re.findall(r'^  (\w+): "(.*)"$', text, re.MULTILINE))
    assert set(values) == {"display_name", "short_description", "brand_color", "default_prompt"}
    assert 25 <= len(values["short_description"]) <= 64
    assert re.search(r"\$codex-autoresearch(?![\w:-])", values["default_prompt"])
    assert re.fullmatch(r"#[0-9A-F]{6}", values["brand_color"])


@pytest.mark.parametrize("path", markdown.documents(), ids=lambda path: path.name)
def test_no_mention_is_broken_by_a_colon(path):
    # In a plugin the skill's full name has one; nothing else may follow the name with a colon.
    assert not re.search(r"\$codex-autoresearch:(?!codex-autoresearch)", markdown.read(path))


def test_there_is_one_skill():
    assert [path for path in project_files() if path.name == "SKILL.md"] == [ROOT / "SKILL.md"]


def test_commands_are_taken_apart(tmp_path):
    document = tmp_path / "page.md"
    document.write_text(
        "Say `python3 scripts/autoresearch_lessons.py list --repo .` or\n\n"
        '    git log -3; python3 <skill-root>/scripts/autoresearch_init_run.py --verify "ls --all | wc" \\\n'
        "        --goal=less | cat --number\n"
    )
    found = [(command.script, command.sub, command.flags) for command in markdown.commands(document)]
    assert found == [("lessons", "list", ("--repo",)), ("init_run", "", ("--verify", "--goal"))]


@pytest.mark.parametrize("path", markdown.documents(), ids=lambda path: path.name)
def test_quoted_commands_exist_and_take_their_flags(path):
    assert [problem for command in markdown.commands(path) for problem in refused_flags(command)] == []


def test_wizard_names_real_flags():
    rows = re.findall(r"^\| .* \|$", text_of("interaction-wizard").partition("## Start")[2], re.MULTILINE)
    flags = sorted({flag for row in rows for flag in re.findall(r"(?<=`)--[a-z-]+", row)})
    shown = help_of("runtime_ctl", "launch")
    assert len(flags) > 20
    assert [flag for flag in flags if not re.search(rf"{flag}(?![\w-])", shown)] == []


def test_summary_is_short_and_plain():
    codes = markdown.split(text_of("interaction-wizard"))[1]
    summary = next(code for code in codes if 'say "go"' in code)
    assert len(summary.split("\n")) <= 12
    assert not re.search(r"--|_|\b(?i:goal|verify|metric|direction|scope|guard):", summary)


@pytest.mark.parametrize("mode", ["debug", "fix", "security", "ship"])
def test_quoted_rows_are_accepted(mode, repo, run_script, tmp_path):
    text = text_of(f"{mode}-workflow")
    agreed = re.search(r'mode_log\.py open .*(--agreed ".*")$', text, re.MULTILINE)
    opening = ("open", "--mode", mode, "--slug", "page", *(shlex.split(agreed[1]) if agreed else ()))
    folder = run_script("mode_log", *opening, cwd=repo.path).json["dir"]
    rows = quoted_rows(text)
    for row in rows:
        for path, line in re.findall(r"location=([\w/.]+):(\d+)", " ".join(row)):
            repo.write(path, "line\n" * int(line))
        (tmp_path / "output.txt").write_text("seen")
        given = [re.sub(r"=@/tmp/.*", f"=@{tmp_path}/output.txt", field) for field in row]
        done = run_script("mode_log", "add", "--dir", folder, *given, cwd=repo.path)
        assert done.code == 0, done.err
    assert rows


CHECKS: dict[str, Any] = {
    "interaction-wizard": (
        {"src/a.py": 'def f(a: int) -> str:\n    return a\n\n\nf("x")\ng: int = "y"  # type: ignore\n'},
        {"baseline_metric": 2, "others": {"files": 1, "ignores": 1, "casts": 0, "anys": 0}},
        lambda repo: repo.write("src/a.py", "def f(:\n"),
    ),
    "fix-workflow": (
        {"src/__init__.py": "", "test_it.py": "def test_a():\n    assert 0\n\n\ndef test_b():\n    pass\n"},
        {"baseline_metric": 1},
        lambda repo: repo.write("test_it.py", ""),
    ),
}


@pytest.mark.parametrize("page", CHECKS)
def test_the_quoted_dry_run_counts_and_a_check_that_cannot_gives_no_number(page, repo, run_script):
    files, expected, damage = CHECKS[page]
    for path, text in {**files, ".gitignore": "__pycache__/\n.pytest_cache/\n"}.items():
        repo.write(path, text)
    repo.commit("project")
    line = re.search(r"autoresearch_init_run\.py (--dry-run .*)$", text_of(page), re.MULTILINE)
    assert line
    flags = shlex.split(line[1].replace("<skill-root>", str(ROOT)))
    flags = flags[: flags.index("--guard")] if "--guard" in flags else flags  # `npx` would ask the network
    found = run_script("init_run", *flags, cwd=repo.path)
    assert found.code == 0, found.err
    assert {name: found.json[name] for name in expected} == expected
    damage(repo)
    assert "gives no number" in run_script("init_run", *flags, cwd=repo.path).err


def quoted_rows(text: str) -> list[list[str]]:
    """The FIELD=VALUE arguments of each row that a protocol shows, in its order."""
    lines = (line for code in markdown.split(text)[1] for line in code.split("\n"))
    return [shlex.split(line.partition(" --dir ")[2])[1:] for line in lines if "mode_log.py add" in line]

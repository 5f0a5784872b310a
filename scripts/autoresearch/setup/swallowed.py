"""Checks that swallow their own failure and print a number all the same: in code they run, in recipes, behind `||`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..kernel.core.text import one_line
from . import evaluator_files, named_files, shelltext, shellwords

_BROAD = frozenset(("Exception", "BaseException"))
_ENDING = frozenset(("exit", "_exit", "abort", "fail", "kill"))
# `catch` and `rescue` that print a number. Texts, not grammars: what they do not know is not warned of.
_CATCH = r"\bcatch\s*(?:\([^()]*\))?\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
_RESCUE = r"\brescue\b(?:[^\n;]*)[\n;]((?:(?!\b(?:end|ensure|else)\b)[\s\S]){0,400})"
_SAYS_NUMBER = r"(?:console\.log|process\.stdout\.write|\bputs|\bprint|\bp)\b\s*\(?[^\n]*?(?<![\w.$])-?\d"
_RAISES = r"\bthrow\b|\braise\b|process\.exit(?:Code)?\s*[(=]\s*(?!0)|\bexit\s*\(?\s*[1-9]|\babort\b"
_CODE = {"python": "-c", "node": "-e", "deno": "eval", "bun": "-e", "ruby": "-e"}
_HERE = r"(?m)^[^\n]*?([\w./]+)[^\n;|&]*<<-?[ \t]*['\"]?(\w+)['\"]?[^\n]*\n([\s\S]*?)\n[ \t]*\2[ \t]*$"
_READ = 1 << 17  # characters of a file that are looked at
_REMEDY = "so a crash would pass for a number: let it end with an error"


def found(root: Path, command: str) -> list[str]:
    """Warnings on the code that a check gives an interpreter, the scripts that it runs, and its recipes."""
    said = [f"the code that {program} is given {what}, {_REMEDY}" for program, what in _given(command)]
    for name in named_files.expand(root, evaluator_files.executed([command])):
        text = named_files.source_text(root / name)[:_READ]
        base = name.rpartition("/")[2].lower()
        if base in ("makefile", "gnumakefile"):
            said += [f"{name}: {what}" for what in recipes(text, evaluator_files.words(command))]
        elif base == "package.json":
            lines = npm(text, evaluator_files.words(command))
            said += [f"{name}: '{one_line(line, 60)}' {why}" for line in lines for why in _hides(line)]
        else:
            said += [f"{one_line(name, 60)} {what}, {_REMEDY}" for what in in_code(text, _language(base, text))]
    return said


def _language(base: str, text: str) -> str:
    first = text.split("\n", 1)[0] if text.startswith("#!") else ""
    if base.endswith((".py", ".pyw")) or "python" in first:
        return "python"
    if base.endswith((".js", ".mjs", ".cjs", ".ts", ".mts")) or re.search(r"\b(?:node|deno|bun)\b", first):
        return "node"
    return "ruby" if base.endswith(".rb") or "ruby" in first else ""


def _given(command: str) -> Iterator[tuple[str, str]]:
    """What is wrong with each code that stands in the command itself."""
    try:
        words = [shellwords.unquoted(token.text) for token in shellwords.tokens(command)]
    except shellwords.Unread:
        words = []
    given = [(words[n], words[n + 1], words[n + 2]) for n in range(len(words) - 2)]
    given += [(match[1], _CODE.get(_bare(match[1]), ""), match[3]) for match in re.finditer(_HERE, command)]
    for runner, option, code in given:
        name = _bare(runner)
        if option and option == _CODE.get(name):
            language = name if name in ("python", "ruby") else "node"
            yield from ((name, what) for what in in_code(code, language))


def _bare(runner: str) -> str:
    return re.sub(r"[\d.]+$", "", runner.rpartition("/")[2])


def in_code(text: str, language: str) -> list[str]:
    """How a program turns its failure into a number, [] where it does not."""
    if language == "python":
        return list(dict.fromkeys(_in_python(text)))[:2]
    pattern = {"node": _CATCH, "ruby": _RESCUE}.get(language, "")
    bodies = [match[1] for match in re.finditer(pattern, text)] if pattern else []
    word = "catches every error" if language == "node" else "rescues every error"
    swallow = any(re.search(_SAYS_NUMBER, body) and not re.search(_RAISES, body) for body in bodies)
    return [f"{word} and prints a number instead"] if swallow else []


def _in_python(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            gives = next(filter(None, map(_gives, _inside(node.body))), "")
            if gives and not any(map(_ends, _inside(node.body))):
                place = f" (line {node.lineno})" if node.lineno > 1 else ""
                yield f"catches every error and {gives} instead{place}"


def _is_broad(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id in _BROAD for one in kinds)


def _inside(body: Sequence[ast.stmt]) -> list[ast.AST]:
    return [node for statement in body for node in ast.walk(statement)]


def _gives(node: ast.AST) -> str:
    """Whether a node prints, returns or sets a number that is written out."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
        return "prints a number" if any(map(_holds_number, node.args)) and not _to_stderr(node) else ""
    if isinstance(node, ast.Return):
        return "returns a number" if node.value is not None and _is_number(node.value) else ""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return "sets a number" if node.value is not None and _is_number(node.value) else ""
    return ""


def _to_stderr(call: ast.Call) -> bool:
    return any(word.arg == "file" for word in call.keywords)


def _is_number(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant) and type(inner.value) in (int, float)


def _holds_number(node: ast.expr) -> bool:
    """Whether a printed value is a number, or a text or a JSON object with one."""
    parts = list(ast.walk(node))
    places = {id(part.slice) for part in parts if isinstance(part, ast.Subscript)}
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    found = [part for part in parts if isinstance(part, ast.expr) and id(part) not in places and _is_number(part)]
    return bool(found) or any(re.search(r"(?<![\w.])-?\d+(?![\w.])", text) for text in texts)


def _ends(node: ast.AST) -> bool:
    """Whether a node raises, or ends the program with a failure."""
    if isinstance(node, ast.Raise):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    well = not node.args or (isinstance(node.args[0], ast.Constant) and node.args[0].value in (0, None))
    return name in _ENDING and not (well and name in ("exit", "_exit"))


def npm(package: str, asked: Sequence[str]) -> list[str]:
    """The commands behind the scripts of a package.json that are named."""
    import json

    try:
        scripts = json.loads(package).get("scripts", {})
        return [str(scripts[word]) for word in asked if word in scripts]
    except (ValueError, AttributeError, TypeError):
        return []


def recipes(makefile: str, asked: Sequence[str]) -> list[str]:
    """Recipe lines of the targets asked for, and of what these need, that go on when they fail or hide a failure."""
    text = makefile.replace("\\\n", " ")
    rules: dict[str, tuple[list[str], list[str]]] = {}
    names: list[str] = []
    for line in text.split("\n"):
        head = re.match(r"([^\s#:=][^#:=]*?)\s*::?(?!=)\s*([^#=;|]*)", line)
        if line.startswith("\t"):
            for name in names:
                rules[name][1].append(line.strip())
        elif head:
            names = head[1].split()
            for name in names:
                rules.setdefault(name, ([], []))[0].extend(head[2].split())
    said = [f"its line '{one_line(line, 60)}' {why}" for line in _reached(rules, asked) for why in _hides(line)]
    return list(dict.fromkeys(said))[:2]


def _reached(rules: dict[str, tuple[list[str], list[str]]], asked: Sequence[str]) -> list[str]:
    """The recipe lines of the targets that are named, or of the first one, and of their prerequisites."""
    first = next((name for name in rules if not name.startswith(".")), "")
    wait = [name for name in asked if name in rules] or [first]
    seen: list[str] = []
    while wait:
        name = wait.pop(0)
        if name in rules and name not in seen:
            seen.append(name)
            wait += rules[name][0]
    return [line for name in seen for line in rules[name][1]]


def _hides(line: str) -> Iterator[str]:
    """Why a recipe line gives a number, or passes, where what it runs fails; "rm" and the like fail without harm."""
    marks = re.match(r"[@+-]*", line)
    bare = line[marks.end() :].lstrip() if marks else line
    runs = shelltext.lost(f"{bare}\ntrue").unseen
    if marks and "-" in marks[0] and runs:
        yield "begins with '-': make goes on where it fails, and a crash would pass for a number; leave the sign out"
        return
    hidden = shelltext.lost(bare.replace("$$", "$"))
    lost = (*hidden.replaced, *hidden.unseen, *hidden.forgiven, *hidden.piped)
    if lost:
        yield f"hides a failure of {one_line(lost[0], 30)}: join its commands with &&, without || and pipes"

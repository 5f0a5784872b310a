# ruff: noqa: E501 - each edit is a line of the programs' own
"""Real edits of real programs and their true effects: `search_patches.py FOLDER [PROGRAM …]` measures them anew.

FOLDER holds unpacked tabulate 0.9.0, sqlparse 0.5.1 (pip download, unzip) and acorn 8.19.0 (npm pack, tar); the demo's
program is here. The number is the count of executed bytecodes, of lines for the demo, of tokens of executed source for
Node (V8's exact coverage), which repeats exactly, so one run is a measurement as long as one likes. An edit is refused
by the guard when the output changes. Writes search_patches.json beside itself; programs that are not named keep theirs.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "assets" / "demo"
COUNT = """
import hashlib, sys
sys.path.insert(0, '.')
count = 0
def trace(frame, event, arg):
    global count
    frame.f_trace_opcodes = True
    count += event == "opcode"
    return trace
def counted(work):
    work()
    sys.settrace(trace)
    out = work()
    sys.settrace(None)
    print(count, hashlib.sha256(repr(out).encode()).hexdigest())
"""
TABULATE = """
import tabulate
rows = [[n, n * 1.5, f"name {n}", None if n % 3 else "x", n % 2 == 0, f"{n}.25"] for n in range(60)]
counted(lambda: [tabulate.tabulate(rows, headers=list("abcdef"), tablefmt=t) for t in ("simple", "grid", "html")])
"""
SQLPARSE = """
import sqlparse
sql = "select a, b as c, sum(d) from t join u on t.x = u.y where a > 10 and b in (select z from w) order by c; "
sql += "insert into t (a, b) values (1, 'x'); update t set a = 2 where b = 'y' -- done"
counted(lambda: [sqlparse.format(sql, reindent=True, keyword_case="upper"), sqlparse.split(sql)])
"""

ACORN = r"""
const inspector = require('inspector'), session = new inspector.Session(); session.connect()
const post = (name, options) => { let got; session.post(name, options, (error, value) => { if (error) throw error; got = value }); return got }
post('Profiler.enable'); post('Profiler.startPreciseCoverage', {callCount: true, detailed: true})
const path = process.cwd() + '/dist/acorn.js', fs = require('fs'), acorn = require(path)
const text = ['let total = 0; // a sum', 'function f(a, b = 2) { return a => a + b * `x${a}` }', 'class A { get x() { return "y" } }',
  'for (const [k, v] of Object.entries(f)) { if (k !== v && !total) total += v.length / 3.5; else switch (k) { case "a": break } }'].join('\n')
const out = acorn.parse(text.repeat(12).replace(/let total|class A|const \[/g, (w, at) => w === 'const [' ? w : w + at), {ecmaVersion: 2020})
const coverage = post('Profiler.takePreciseCoverage').result.filter(one => one.url.endsWith('acorn.js'))[0]
const source = fs.readFileSync(path, 'utf8'), before = new Int32Array(source.length + 1)
const token = /\/\*[^]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\w+|[^\s\w]/g
for (const found of source.matchAll(token)) if (!/^\/[*\/]/.test(found[0])) before[found.index + 1]++
for (let at = 1; at < before.length; at++) before[at] += before[at - 1]
const size = range => before[range.endOffset] - before[range.startOffset]
let count = 0
for (const {ranges, functionName} of coverage.functions.filter(one => one.functionName)) for (let at = 0; at < ranges.length; at++) {
  let own = size(ranges[at])
  for (let next = at + 1; next < ranges.length && ranges[next].startOffset < ranges[at].endOffset;) {
    const end = ranges[next].endOffset; own -= size(ranges[next++])
    while (next < ranges.length && ranges[next].startOffset < end) next++
  }
  count += own * ranges[at].count
}
console.log(count + ' ' + require('crypto').createHash('sha256').update(JSON.stringify(out)).digest('hex'))
"""


@dataclass(frozen=True)
class Edit:
    """One edit: a name, the file, what is replaced by what."""

    name: str
    path: str
    old: str
    new: str


T, LEXER, SQL, UTILS = "tabulate/__init__.py", "sqlparse/lexer.py", "sqlparse/sql.py", "sqlparse/utils.py"
A = "dist/acorn.js"
TOKENS, FILTERS = "sqlparse/tokens.py", "sqlparse/filters/reindent.py"
STRIP = "    if isinstance(s, str):\n        return _ansi_codes.sub"
EDITS = {
    "tabulate": (
        Edit(
            "no escape, no search",
            T,
            STRIP,
            "    if isinstance(s, str) and '\\x1b' not in s:\n        return s\n" + STRIP,
        ),
        Edit(
            "escape test by find",
            T,
            STRIP,
            "    if isinstance(s, str) and s.find('\\x1b') < 0:\n        return s\n" + STRIP,
        ),
        Edit(
            "isconvertible for own types",
            T,
            "    try:\n        conv(string)\n        return True\n",
            "    if type(string) is conv:\n        return True\n    try:\n        conv(string)\n        return True\n",
        ),
        Edit(
            "type of int and float at once",
            T,
            "    if string is None:\n        return type(None)\n    elif hasattr",
            "    if string is None:\n        return type(None)\n    kind = type(string)\n    if kind is bool or (numparse and kind is int):\n        return kind\n    elif hasattr",
        ),
        Edit(
            "float is a number",
            T,
            "    if not _isconvertible(float, string):\n        return False\n",
            "    if type(string) is float:\n        return True\n    if not _isconvertible(float, string):\n        return False\n",
        ),
        Edit(
            "width of text by len",
            T,
            "    if isinstance(s, (str, bytes)):\n        return len_fn(_strip_ansi(s))\n",
            "    if len_fn is len and type(s) is str and '\\x1b' not in s:\n        return len(s)\n    if isinstance(s, (str, bytes)):\n        return len_fn(_strip_ansi(s))\n",
        ),
        Edit(
            "pad row by f-string",
            T,
            "padded_cells = [pad + cell + pad for cell in cells]",
            "padded_cells = [f'{pad}{cell}{pad}' for cell in cells]",
        ),
        Edit(
            "no strip for rows with an end",
            T,
            "    return (begin + sep.join(padded_cells) + end).rstrip()",
            "    row = begin + sep.join(padded_cells) + end\n    return row if end.strip() else row.rstrip()",
        ),
        Edit(
            "rows never stripped",
            T,
            "    return (begin + sep.join(padded_cells) + end).rstrip()",
            "    return begin + sep.join(padded_cells) + end",
        ),
        Edit(
            "multiline test by in",
            T,
            "        return bool(re.search(_multiline_codes, s))",
            "        return '\\n' in s or '\\r' in s",
        ),
        Edit(
            "bool by identity",
            T,
            '    return type(string) is bool or (\n        isinstance(string, (bytes, str)) and string in ("True", "False")\n    )',
            "    return string is True or string is False or string == 'True' or string == 'False'",
        ),
        Edit(
            "int test tries text alone",
            T,
            "        or isinstance(string, (bytes, str))\n",
            "        or type(string) is str\n",
        ),
        Edit(
            "callable by builtin",
            T,
            '    if hasattr(rowfmt, "__call__"):\n        return rowfmt(padded',
            "    if callable(rowfmt):\n        return rowfmt(padded",
        ),
        Edit(
            "format without a test for colours",
            T,
            "        is_a_colored_number = has_invisible and isinstance(val, (str, bytes))",
            "        is_a_colored_number = has_invisible and type(val) is str and '\\x1b' in val",
        ),
        Edit(
            "numbers are never inf",
            T,
            "    elif isinstance(string, (str, bytes)) and (\n        math.isinf(float(string)) or math.isnan(float(string))\n    ):",
            "    elif isinstance(string, (str, bytes)) and string[-1:] in ('f', 'n', 'F', 'N', 'y'):",
        ),
        Edit("every value is text", T, "    elif _isint(string) and numparse:\n        return int\n", ""),
    ),
    "sqlparse": (
        Edit(
            "lexer without enumerate",
            LEXER,
            "                elif isinstance(action, tokens._TokenType):",
            "                elif type(action) is tokens._TokenType:",
        ),
        Edit(
            "keyword lookup by list",
            LEXER,
            "        for kwdict in self._keywords:",
            "        for kwdict in list(self._keywords):",
        ),
        Edit(
            "no consume of nothing",
            LEXER,
            "                consume(iterable, m.end() - pos - 1)\n",
            "                if m.end() - pos > 1:\n                    consume(iterable, m.end() - pos - 1)\n",
        ),
        Edit(
            "skip by next",
            LEXER,
            "                consume(iterable, m.end() - pos - 1)\n",
            "                for _ in range(m.end() - pos - 1):\n                    next(iterable)\n",
        ),
        Edit(
            "match by value first",
            SQL,
            "        type_matched = self.ttype is ttype\n        if not type_matched or values is None:\n            return type_matched\n",
            "        if self.ttype is not ttype:\n            return False\n        if values is None:\n            return True\n",
        ),
        Edit(
            "upper once",
            SQL,
            "            values = (v.upper() for v in values)\n",
            "            values = [v.upper() for v in values]\n",
        ),
        Edit(
            "single value without generator",
            SQL,
            "        if isinstance(values, str):\n            values = (values,)\n",
            "        if isinstance(values, str):\n            if not regex:\n                return self.normalized == (values.upper() if self.is_keyword else values)\n            values = (values,)\n",
        ),
        Edit("case ignored", SQL, "            values = (v.upper() for v in values)\n", ""),
        Edit(
            "imt by type first",
            UTILS,
            "    if i and isinstance(token, i):\n        return True\n    if m:",
            "    if i:\n        if isinstance(token, i):\n            return True\n        if not m and not t:\n            return False\n    if m:",
        ),
        Edit(
            "imt without any",
            UTILS,
            "            if any(token.match(*pattern) for pattern in m):\n                return True\n",
            "            for pattern in m:\n                if token.match(*pattern):\n                    return True\n",
        ),
        Edit(
            "imt types in a loop",
            UTILS,
            "            if any(token.ttype in ttype for ttype in t):\n                return True\n",
            "            for ttype in t:\n                if token.ttype in ttype:\n                    return True\n",
        ),
        Edit(
            "contains by identity first",
            TOKENS,
            "        return item is not None and (self is item or item[:len(self)] == self)",
            "        return self is item or (item is not None and item[:len(self)] == self)",
        ),
        Edit(
            "contains by prefix alone",
            TOKENS,
            "        return item is not None and (self is item or item[:len(self)] == self)",
            "        return item is not None and item[:len(self)] == self",
        ),
        Edit(
            "contains by length first",
            TOKENS,
            "        return item is not None and (self is item or item[:len(self)] == self)",
            "        return item is self or (item is not None and len(item) > len(self) and item[:len(self)] == self)",
        ),
    ),
    "acorn": (
        Edit(
            "word by units",
            A,
            "      var ch = this.fullCharCodeAtPos();\n      if (isIdentifierChar(ch, astral)) {\n        this.pos += ch <= 0xffff ? 1 : 2;",
            "      var ch = this.input.charCodeAt(this.pos);\n      if (ch > 96 && ch < 123) {\n        ++this.pos;\n      } else if (isIdentifierChar(ch = this.fullCharCodeAtPos(), astral)) {\n        this.pos += ch <= 0xffff ? 1 : 2;",
        ),
        Edit("word without a first flag", A, "      first = false;\n    }\n    return word", "    }\n    return word"),
        Edit(
            "word by pattern",
            A,
            "    while (this.pos < this.input.length) {\n      var ch = this.fullCharCodeAtPos();",
            "    var plain = /[A-Za-z0-9_$]*/y;\n    plain.lastIndex = this.pos;\n    plain.test(this.input);\n    this.pos = plain.lastIndex;\n    while (this.pos < this.input.length) {\n      var ch = this.fullCharCodeAtPos();",
        ),
        Edit(
            "small letters first",
            A,
            "    if (code < 48) { return code === 36 }\n    if (code < 58) { return true }",
            "    if (code > 96 && code < 123) { return true }\n    if (code < 48) { return code === 36 }\n    if (code < 58) { return true }",
        ),
        Edit(
            "letters by a table",
            A,
            "    if (code < 48) { return code === 36 }\n    if (code < 58) { return true }",
            "    if (code < 128) { return code === 36 || code === 95 || (code > 47 && code < 58) || (code > 64 && code < 91) || (code > 96 && code < 123) }\n    if (code < 48) { return code === 36 }\n    if (code < 58) { return true }",
        ),
        Edit(
            "no pairs below the first",
            A,
            "    return this.fullCharCodeAt(this.pos)",
            "    var code = this.input.charCodeAt(this.pos);\n    return code <= 0xd7ff ? code : this.fullCharCodeAt(this.pos)",
        ),
        Edit(
            "no pairs at all",
            A,
            "    return this.fullCharCodeAt(this.pos)",
            "    return this.input.charCodeAt(this.pos)",
        ),
        Edit(
            "space skipped at once",
            A,
            "      case 32: case 160: // ' '\n        ++this.pos;\n        break",
            "      case 32: case 160: // ' '\n        while (this.input.charCodeAt(++this.pos) === 32) {}\n        break",
        ),
        Edit(
            "no space, no loop",
            A,
            "    loop: while (this.pos < this.input.length) {\n      var ch = this.input.charCodeAt(this.pos);\n      switch (ch) {\n      case 32:",
            "    var now = this.input.charCodeAt(this.pos);\n    if (now > 47 && now < 128) { return }\n    loop: while (this.pos < this.input.length) {\n      var ch = this.input.charCodeAt(this.pos);\n      switch (ch) {\n      case 32:",
        ),
        Edit(
            "scope by its end",
            A,
            "    for (var i = this.scopeStack.length - 1;; i--) {\n      var scope = this.scopeStack[i];\n      if (scope.flags & (SCOPE_VAR |",
            "    var last = this.scopeStack[this.scopeStack.length - 1];\n    if (last.flags & SCOPE_VAR) { return last }\n    for (var i = this.scopeStack.length - 1;; i--) {\n      var scope = this.scopeStack[i];\n      if (scope.flags & (SCOPE_VAR |",
        ),
        Edit(
            "eat in one line",
            A,
            "    if (this.type === type) {\n      this.next();\n      return true\n    } else {\n      return false\n    }",
            "    if (this.type !== type) { return false }\n    this.next();\n    return true",
        ),
        Edit(
            "token without an update",
            A,
            "    this.updateContext(prevType);\n  };",
            "    if (type.keyword || type.updateContext) { this.updateContext(prevType); }\n    else { this.exprAllowed = type.beforeExpr; }\n  };",
        ),
        Edit(
            "text by indexOf",
            A,
            "      if (ch === quote) { break }\n      if (ch === 92)",
            "      if (ch === quote) { break }\n      if (ch > 92 && ch < 128) { ++this.pos; continue }\n      if (ch === 92)",
        ),
        Edit(
            "no locations of tokens",
            A,
            "    this.lastTokEndLoc = this.endLoc;\n    this.lastTokStartLoc = this.startLoc;\n    this.nextToken();",
            "    if (this.options.locations) { this.lastTokEndLoc = this.endLoc; this.lastTokStartLoc = this.startLoc; }\n    this.nextToken();",
        ),
        Edit(
            "no errors, no names",
            A,
            "    if (!refDestructuringErrors) { return false }\n    var shorthandAssign = refDestructuringErrors.shorthandAssign;",
            "    if (!refDestructuringErrors) { return false }\n    if (!andThrow) { return refDestructuringErrors.shorthandAssign >= 0 || refDestructuringErrors.doubleProto >= 0 }\n    var shorthandAssign = refDestructuringErrors.shorthandAssign;",
        ),
        Edit(
            "reserved words unread",
            A,
            '    if (this.keywords.test(name))\n      { this.raise(start, ("Unexpected keyword',
            '    if (name.length > 10 || name.length === 1) { return }\n    if (this.keywords.test(name))\n      { this.raise(start, ("Unexpected keyword',
        ),
    ),
}


ENV = {"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")}


def measured(folder: Path, work: str) -> tuple[int, str]:
    """The count and the digest of the output; -1 where it fails."""
    command = ["node", "-e", work] if work == ACORN else [sys.executable, "-B", "-c", COUNT + work]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=ENV)
    count, _, digest = done.stdout.strip().partition(" ")
    return (int(count), digest) if done.returncode == 0 else (-1, "")


def edited(folder: Path, edits: tuple[Edit, ...]) -> bool:
    """Make the edits; whether all of them fit."""
    for edit in edits:
        path = folder / edit.path
        text = path.read_text(encoding="utf-8")
        if text.count(edit.old) < 1:
            return False
        path.write_text(text.replace(edit.old, edit.new, 1), encoding="utf-8")
    return True


def tried(source: Path, work: str, edits: tuple[Edit, ...]) -> tuple[int, str] | None:
    """Measure a copy with these edits; None where they do not fit together."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "copy"
        shutil.copytree(source, copy)
        return measured(copy, work) if edited(copy, edits) else None


def program(name: str, source: Path, work: str, edits: tuple[Edit, ...]) -> list[dict[str, Any]]:
    """The table's rows of one program: effect, whether the guard fails, what cannot stand beside it."""
    base, digest = measured(source, work)
    rows: list[dict[str, Any]] = []
    for edit in edits:
        found = tried(source, work, (edit,))
        if found is None or found[0] < 0:
            print("does not run:", name, edit.name, found, file=sys.stderr)
            continue
        row = {k: v for k, v in asdict(edit).items() if k in ("name", "path")}
        rows.append({"program": name, **row, "effect": round(1 - found[0] / base, 6), "fails": found[1] != digest})
    by_name = {edit.name: edit for edit in edits}
    for row in rows:
        others = (other["name"] for other in rows if other["path"] == row["path"] and other is not row)
        mine = by_name[str(row["name"])]
        row["conflicts"] = [other for other in others if _conflict(source, mine, by_name[str(other)])]
    return rows


def _conflict(source: Path, one: Edit, other: Edit) -> bool:
    text = (source / one.path).read_text(encoding="utf-8")
    first = text.replace(one.old, one.new, 1)
    second = text.replace(other.old, other.new, 1)
    return other.old not in first or one.old not in second or one.old in other.old or other.old in one.old


def demo() -> list[dict[str, Any]]:
    """The demo's edits, each on what the earlier ones left where it needs them."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        for patch in sorted((DEMO / "edits").glob("*.patch")):
            copy = Path(name) / patch.stem
            shutil.copytree(DEMO / "project", copy)
            before = lines(copy)
            applied = subprocess.run(["git", "apply", str(patch)], cwd=copy, capture_output=True, check=False)
            after = lines(copy) if applied.returncode == 0 else -1
            if after < 0:
                print("does not apply alone:", patch.stem, file=sys.stderr)
                continue
            tests = [sys.executable, "-B", "-m", "unittest", "-q"]
            fails = subprocess.run(tests, cwd=copy, capture_output=True, check=False).returncode != 0
            text = patch.read_text(encoding="utf-8")
            path = text.partition("+++ b/")[2].partition("\n")[0]
            rows.append(
                {
                    "program": "demo",
                    "name": patch.stem,
                    "path": path,
                    "effect": round(1 - after / before, 6),
                    "fails": fails,
                    "conflicts": [],
                }
            )
        for one, other in itertools.combinations(rows, 2):
            copy = Path(name) / f"{one['name']}+{other['name']}"
            shutil.copytree(DEMO / "project", copy)
            patches = [str(DEMO / "edits" / f"{row['name']}.patch") for row in (one, other)]
            done = [
                subprocess.run(["git", "apply", p], cwd=copy, capture_output=True, check=False).returncode
                for p in patches
            ]
            if done[1]:
                one["conflicts"].append(other["name"])
                other["conflicts"].append(one["name"])
    return rows


def lines(folder: Path) -> int:
    """The demo's own number, -1 where the program fails."""
    command = [sys.executable, "-B", "measure.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return int(done.stdout.rpartition("=")[2]) if done.returncode == 0 else -1


def main(folder: Path, named: list[str]) -> None:
    """Measure all programs, or those that are named, and write the table."""
    path = HERE / "search_patches.json"
    rows = [row for row in json.loads(path.read_text(encoding="utf-8")) if named and row["program"] not in named]
    rows += demo() if not named or "demo" in named else []
    for name, work in (("tabulate", TABULATE), ("sqlparse", SQLPARSE), ("acorn", ACORN)):
        rows += program(name, folder / name, work, EDITS[name]) if not named or name in named else []
    text = ",\n".join(json.dumps(row) for row in rows)
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

"""Times one Python call in the project's interpreter and writes the result to a file. Started as a program.

argv[1] is JSON: `setup` (statements), `code` (an expression, or statements whose last is one), `repeats`, `wall`,
`answer`. With `queries` it counts SQL statements instead of time; with `codes` it tells what each of them returns.
"""

import ast
import contextlib
import hashlib
import json
import os
import re
import sys
import time

OF_DJANGO = re.compile(r"(?i)\s*select quote\((?:(?!\bfrom\b)[\s\S])*")  # for its log of statements, in debug
LEAST = 5.0  # milliseconds that one repeat takes at least; a shorter call is made several times


def compiled(code):
    """Statements before the last, and the last as an expression or None."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    return compile(tree, "<call>", "exec"), last and compile(ast.Expression(last.value), "<call>", "eval")


def plain(value):
    """Text that is the same for equal results: no addresses, sets and dictionaries in order, iterators run through."""
    if isinstance(value, (str, bytes, int, float, complex, bool, type(None))):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(plain(k) + ": " + plain(v) for k, v in value.items())) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(plain, value))) + "}"
    if hasattr(value, "__iter__"):
        return "[" + ", ".join(map(plain, value)) + "]"
    shown = str(value)
    return type(value).__name__ if " at 0x" in shown else type(value).__name__ + " " + shown


def runner(ask):
    """A function that runs the call once and returns (milliseconds, result)."""
    space = {"__name__": "__call__"}
    exec(compile(ask.get("setup", ""), "<setup>", "exec"), space)
    before, last = compiled(ask["code"])
    clock = time.perf_counter if ask.get("wall") else time.process_time

    def once():
        """Run the call once; returns its milliseconds and its result."""
        start = clock()
        exec(before, space)
        result = eval(last, space) if last else None
        return (clock() - start) * 1000, result

    return once


def timed(ask):
    """The least of the repeats, after one that warms up and whose result is told."""
    once = runner(ask)
    text = plain(once()[1])
    if plain(once()[1]) != text:
        raise ValueError("two calls return different results; fix seeds, and set up again what a call uses up")
    times = max(1, min(1000, int(LEAST / max(once()[0], 0.001))))
    least = min(sum(once()[0] for _ in range(times)) / times for _ in range(ask["repeats"]))
    return {"ms": least, **told(text)}


def told(text):
    """The output as a hash and as people see it."""
    return {"output": hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(), "shown": text[:160]}


class Statements:
    """SQL statements that pass, each with the place in the project that sent it."""

    def __init__(self):
        self.rows = {}
        self.count = 0

    def note(self, sql):
        """Take one statement; the place is the innermost frame below the current folder."""
        if OF_DJANGO.fullmatch(str(sql)):
            return
        self.count += 1
        root, frame = os.getcwd() + os.sep, sys._getframe(1)
        place = None
        while frame and not place:
            place, frame = self.place(frame, root), frame.f_back
        place = place or ("", 0)
        text = re.sub(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b", "?", " ".join(str(sql).split()))
        text = re.sub(r"(?i)^((?:release |rollback to )?savepoint) \S+", r"\1 ?", text)  # a name of its own each time
        key = (*place, text[:200])
        self.rows[key] = self.rows.get(key, 0) + 1

    def place(self, frame, root):
        """File and line of a frame of the project: a line of its code, or of a template that is being rendered."""
        name, line = frame.f_code.co_filename, frame.f_lineno
        if frame.f_code.co_name == "render_annotated":  # a node of a template of Django
            node = frame.f_locals.get("self")
            name = getattr(getattr(node, "origin", None), "name", "") or ""
            line = getattr(getattr(node, "token", None), "lineno", 0)
        elif "debug_info" in frame.f_globals and "__jinja_template__" not in name:  # a compiled template of Jinja
            pairs = re.findall(r"(\d+)=(\d+)", str(frame.f_globals["debug_info"]))
            line = max((int(there) for there, here in pairs if int(here) <= line), default=line)
        return (name[len(root) :], line) if self.inside(name, root) else None

    @staticmethod
    def inside(name, root):
        """Whether a file is the project's own."""
        return name.startswith(root) and "site-packages" not in name and not name.startswith(root + ".")


def trace_sqlite(statements):
    """Have every later sqlite3 connection report its statements."""
    import sqlite3

    original = sqlite3.connect

    def connect(*args, **kwargs):
        """Connect as before, with every statement noted."""
        connection = original(*args, **kwargs)
        connection.set_trace_callback(statements.note)
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = connect


def trace_sqlalchemy(statements):
    """Have engines of other databases report theirs too, where SQLAlchemy is there."""
    with contextlib.suppress(ImportError):
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        @event.listens_for(Engine, "before_cursor_execute")
        def sent(conn, cursor, statement, parameters, context, executemany):
            """Note a statement of SQLAlchemy; SQLite notes its own."""
            if conn.dialect.name != "sqlite":
                statements.note(statement)


def queries(ask):
    """Statements that one call sends, after the setup; repeated once, for a cache may hide them."""
    statements = Statements()
    trace_sqlite(statements)
    trace_sqlalchemy(statements)
    once = runner(ask)
    statements.count, statements.rows = 0, {}
    text = plain(once()[1])
    rows = [[*key, times] for key, times in statements.rows.items()]
    return {"count": statements.count, "rows": rows, **told(text)}


def answers(ask):
    """Of each code what it returned or raised, whether it returned, and the first of these at a second turn."""
    space = {"__name__": "__call__"}
    exec(compile(ask.get("setup", ""), "<setup>", "exec"), space)

    def answer(code):
        """One turn."""
        before, last = compiled(code)
        try:
            exec(before, space)
            return [plain(eval(last, space) if last else None), True]
        except (Exception, SystemExit) as error:
            return [f"{type(error).__name__}: {error}", False]

    return {"told": [[*answer(code), answer(code)[0]] for code in ask["codes"]]}


def main(ask):
    """Do what is asked and write the answer."""
    sys.path.insert(0, os.getcwd())
    found = answers(ask) if "codes" in ask else queries(ask) if ask.get("queries") else timed(ask)
    with open(ask["answer"], "w") as stream:
        json.dump(found, stream)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

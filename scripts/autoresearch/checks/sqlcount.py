"""SQL statements that one fixed piece of Python work sends, each with the line that sent it."""

from __future__ import annotations

from . import toolbox
from .counted import Counted, Finding, least_one
from .toolbox import Request


def queries(request: Request) -> Counted:
    """Statements sent through sqlite3 (Django's and SQLAlchemy's too), and through SQLAlchemy to other databases."""
    spec = {"code": request.command(), "setup": request.get("setup", ""), "queries": True}
    found = toolbox.inside(request, toolbox.python(request), "callable.py", spec)
    least_one(found["count"], "no statement was seen", "let the code use the database through sqlite3 or SQLAlchemy")
    rows = sorted(found["rows"], key=lambda row: -int(row[3]))  # the most frequent first
    places = [Finding(row[0] or "?", row[1], f"{row[3]} times {row[2]}", "query") for row in rows]
    numbers = {"queries": found["count"], "distinct": len(places), "output": int(found["output"][:12], 16)}
    return Counted(numbers, places, (f"output {found['shown']}",))

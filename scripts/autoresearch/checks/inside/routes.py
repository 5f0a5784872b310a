"""Asks the routes of a web application of this folder without a server, with its statements and a profile noted.

Started as a program. argv[1] is JSON: `app` (`module:name`, for a factory `module:name()`), `headers` (of every
request), `profile` (a file for cProfile), `answer`. Only GET routes without parameters are asked, none whose name says
that it changes something.
"""

import cProfile
import io
import json
import os
import re
import sqlite3
import statistics
import sys
import time
from wsgiref.util import setup_testing_defaults

import callable as counting

MOST, TURNS = 12, 3
CHANGES = re.compile(r"log_?out|delete|remove|drop|purge|reset|shutdown|stop|send|cron|clear|logout|static")
SCAN = re.compile(r"^SCAN (?:TABLE )?(\w+)")


def load(name):
    """The WSGI application `module:name`, made where it is a factory."""
    module, _, attribute = name.partition(":")
    if module == "django":
        import djangosite

        return djangosite.Site(list(filter(None, attribute.split(","))))
    found = __import__(module, fromlist=["x"])
    made = getattr(found, attribute.removesuffix("()"))
    return made() if attribute.endswith("()") else made


def routes(app):
    """Paths that can be asked."""
    if hasattr(app, "paths"):
        return app.paths()[:MOST]
    rules = getattr(app, "url_map", None)
    found = [r.rule for r in rules.iter_rules() if "GET" in r.methods and not r.arguments] if rules else ["/"]
    return sorted({path for path in found if not CHANGES.search(path)})[:MOST]


def ask(app, path, sent):
    """One GET request; returns (milliseconds, status), 500 where the application raises."""
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}
    environ.update({"HTTP_" + name.upper().replace("-", "_"): value for name, value in sent.items()})
    setup_testing_defaults(environ)
    seen = []
    start = time.perf_counter()
    try:
        parts = app(environ, lambda status, headers, exc=None: seen.append(status))
        for _ in parts:
            pass
        if hasattr(parts, "close"):
            parts.close()
    except Exception:
        seen[:] = ["500 raised"]
    return (time.perf_counter() - start) * 1000, int(seen[0].split()[0]) if seen else 0


def look(app, path, sent, statements):
    """What one route costs: milliseconds, status, statements, and each with its place and times."""
    ask(app, path, sent)
    statements.rows, statements.count = {}, 0
    status = ask(app, path, sent)[1]
    rows, count = [[*key, times] for key, times in statements.rows.items()], statements.count
    spent = statistics.median(ask(app, path, sent)[0] for _ in range(TURNS))
    return {"path": path, "status": status, "ms": spent, "count": count, "rows": sorted(rows, key=lambda r: -r[3])[:5]}


def scans(noted):
    """Tables of SQLite that statements read whole: place, table, rows."""
    found = {}
    for database, sql, place in noted:
        try:
            link = original(database)
            plan = [row[3] for row in link.execute("explain query plan " + sql)]
            for table in [match[1] for line in plan for match in [SCAN.match(line)] if match]:
                found[(*place, table)] = link.execute(f'select count(*) from "{table}"').fetchone()[0]
            link.close()
        except sqlite3.Error:
            continue
    return [[*key, rows] for key, rows in found.items()]


original = sqlite3.connect


class Noted(counting.Statements):
    """Statements, and of each kind the first with its database, for its plan."""

    def __init__(self):
        super().__init__()
        self.first = {}
        self.database = ""

    def note(self, sql):
        """Take one statement."""
        known = set(self.rows)
        super().note(sql)
        for place, line, text in set(self.rows) - known:
            filters = re.fullmatch(r"\s*select\b(?:(?!\bselect\b).)*\bwhere\b.*", str(sql), re.I | re.S)
            if filters and len(self.first) < 60:
                self.first.setdefault((place, line, text), (self.database, str(sql), (place, line)))


def connecting(statements):
    """Have every connection tell its database before its statements."""
    traced = sqlite3.connect

    def connect(database, *args, **kwargs):
        """Connect as before."""
        statements.database = os.path.abspath(database) if str(database) not in (":memory:", "") else ":memory:"
        return traced(database, *args, **kwargs)

    sqlite3.connect = sqlite3.dbapi2.connect = connect


def main(spec):
    """Ask every route, then all of them under the profiler, and write the answer."""
    sys.path[:1] = [os.getcwd()]
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    statements = Noted()
    counting.trace_sqlite(statements)
    counting.trace_sqlalchemy(statements)
    connecting(statements)
    app = load(spec["app"])
    found = [look(app, path, spec["headers"], statements) for path in routes(app)]
    answering = [row["path"] for row in found if row["status"] == 200]
    profile = cProfile.Profile()
    for path in answering * TURNS:
        profile.runcall(ask, app, path, spec["headers"])
    if answering:
        profile.dump_stats(spec["profile"])
    with open(spec["answer"], "w") as stream:
        json.dump({"routes": found, "scans": scans(statements.first.values())}, stream)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

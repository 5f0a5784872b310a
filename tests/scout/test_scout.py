"""The first look on small projects: what it proposes can be dry-run as it is, and the page is short."""

from __future__ import annotations

from contextlib import closing
from typing import Callable

import pytest
from autoresearch.scout import topics

from tests.conftest import Ran, Repo

PACKAGE = {
    "pkg/__init__.py": "def untyped(value):\n    return value\n",
    "tests/test_it.py": "import pkg\n\n\ndef test_it():\n    assert pkg.untyped(1) == 1\n",
    "pyproject.toml": "[project]\nname = 'pkg'\n",
    ".gitignore": ".mypy_cache/\n__pycache__/\n",
}
FLASK = """\
import sqlite3

from flask import Flask

app = Flask(__name__)
SCHEMA = "create table posts (id integer primary key, author integer);"


@app.route("/feed")
def feed():
    db = sqlite3.connect("x.db")
    posts = db.execute("select id from posts where author = 1").fetchall()
    return [db.execute("select * from posts where id = ?", (p,)).fetchone() for p in posts]
"""


@pytest.fixture
def project(repo: Repo) -> Callable[[dict[str, str]], Repo]:
    """Return a function that writes and commits files."""

    def make(files: dict[str, str]) -> Repo:
        for path, text in files.items():
            repo.write(path, text)
        repo.commit("project")
        return repo

    return make


@pytest.fixture
def scout(repo: Repo, run_script: Callable[..., Ran]) -> Callable[..., Ran]:
    """Return `scout(goal, *flags)`."""
    return lambda goal, *flags: run_script("scout", "--repo", repo.path, "--goal", goal, *flags)


@pytest.mark.parametrize(
    ("goal", "first"),
    [
        ("far fewer type errors", "types"),
        ("remove all any types", "any"),
        ("raise the test coverage", "coverage"),
        ("die Tests sind rot", "tests"),
        ("die Tests decken zu wenig ab", "coverage"),
        ("die Typfehler sollen weg", "types"),
        ("mach das schneller", "speed"),
        ("réduire la taille du bundle", "size"),
        ("menos consultas", "queries"),
        ("clean up the lint warnings", "lint"),
        ("it starts too slowly", "startup"),
        ("document everything", "docs"),
        ("die Tests sollen laufen", "tests"),
        ("more tests please", "coverage"),
        ("schreib mehr Tests", "coverage"),
        ("mach den Code einfacher zu lesen", "complexity"),
        ("our tests are flaky", "flaky"),
        ("train a better model", "loss"),
        ("fewer dependencies", "dependencies"),
    ],
)
def test_topics(goal: str, first: str):
    assert topics.topics(goal)[0] == first


@pytest.mark.parametrize("goal", ["", "I don't know where to start", "wo soll ich anfangen?", "make it better"])
def test_vague_goals(goal: str):
    assert topics.topics(goal) == ()


def test_a_proposal_is_ready_to_be_rehearsed(project, scout, run_script):
    repo = project(PACKAGE)
    found = scout("far fewer type errors", "--measure")
    assert found.code == 0 and len(found.out) <= 3600, found.err
    assert "1. errors, lower is better: 1 now" in found.out
    assert "tree: branch main, clean; no earlier run" in found.out
    ran = run_script("init_run", "--repo", repo.path, "--dry-run", "--calibrate", 1, "--as-proposed", 1)
    assert ran.code == 0, ran.err
    assert (ran.json["baseline_metric"], ran.json["guard"], ran.json["startable"]) == (1, "pass", True)
    assert repo.status() == ""


def test_other_flags_win_over_the_proposal(project, scout, run_script):
    repo = project(PACKAGE)
    scout("coverage")
    ran = run_script("init_run", "--repo", repo.path, "--dry-run", "--as-proposed", 9)
    assert ran.code == 1 and "expected number 9; run autoresearch_scout.py" in ran.err


def test_what_is_missing_is_said_with_its_install(project, scout):
    package = '{"name": "a", "devDependencies": {"typescript": "^5.4.0"}}'
    project({"src/a.ts": "export const a: any = 1\n", "tsconfig.json": "{}", "package.json": package})
    found = scout("no any types")
    assert "verify: CHECK ts-any src" in found.out
    assert found.out.startswith("MISSING: what package.json names for check 1. Ask for the user's yes in the first")
    assert "INSTALL is: echo node_modules >> " in found.out and "npm install --no-save --no-package-lock" in found.out
    assert "require: implicit <= baseline, errors <= baseline" in found.out


LOOPS = """\
def all(cursor, names):
    for name in names:
        cursor.execute({what})
"""


def test_loops_that_no_request_reaches_and_locks_are_no_cause(project, scout):
    sends = LOOPS.format(what="'select 1 from t where n = ?', [name]")
    project(
        {
            "todo/management/commands/mail.py": sends,
            "todo/migrations/0001.py": sends,
            "todo/models.py": LOOPS.format(what="'LOCK TABLE ' + name"),
            "todo/views.py": sends,
            "todo/load.py": LOOPS.format(what="'INSERT INTO t VALUES (?)', [name]"),
            "examples/load.py": sends,
        }
    )
    causes = scout("I don't know where to start, it is too slow").out.partition("\n1. ")[0]
    assert "todo/views.py:3: a database query" in causes and "examples" not in causes
    assert "todo/load.py:3: a database write for each turn of a loop; gain large" in causes
    assert "risk low: executemany" in causes
    assert "mail.py" not in causes and "0001.py" not in causes and "models.py" not in causes


def test_a_vague_goal_begins_with_where_it_goes(project, scout):
    project({"app.py": FLASK, "Procfile": "web: gunicorn app:app\n"})
    out = scout("I don't know where to start, it is too slow").out
    causes, _, checks = out.partition("\n1. ")
    assert "A. app.py:13: a database query for each turn of a loop; gain large" in causes
    assert "looks up posts by author, which has no index (outside the code)" in causes
    assert "C. Procfile: starts one server worker: requests wait for each other (outside the code)" in causes
    assert "posts by id" not in causes and "ask: A is safe, start?" in causes
    assert "CHECK http /feed --serve '" in checks and " -m flask --app app:app run --port {port}'" in checks


# What the look needs of Flask: a WSGI application with routes. The real one is tried in tests/benchmarks/first-look.md.
WEB = """\
class Rule:
    methods, arguments = {"GET"}, ()

    def __init__(self, rule):
        self.rule = rule


class Flask:
    def __init__(self, name):
        self.views = {}
        self.url_map = self

    def iter_rules(self):
        return map(Rule, self.views)

    def route(self, path):
        return lambda view: self.views.setdefault(path, view)

    def test_client(self):
        return self

    def get(self, path, headers=()):
        environ = {"PATH_INFO": path, "HTTP_AUTHORIZATION": headers["Authorization"]}
        self.body = self(environ, lambda status, sent: None)[0].decode()
        return self

    def get_data(self, as_text):
        return self.body

    def __call__(self, environ, start):
        if environ.get("HTTP_AUTHORIZATION") != "secret":
            start("401 no", [])
            return [b""]
        start("200 OK", [])
        return [repr(self.views[environ["PATH_INFO"]]()).encode()]
"""
LARGE = (
    FLASK.replace("(p,)", "p").replace('connect("x.db")', 'connect("x.db", isolation_level=None)')
    + """

@app.route("/delete_all")
def delete_all():
    sqlite3.connect("x.db", isolation_level=None).execute("delete from posts")
"""
)


def filled(repo: Repo) -> None:
    """A database that git does not hold, with 300 posts, 20 of them of one author."""
    import sqlite3

    with closing(sqlite3.connect(repo.path / "x.db")) as database, database:
        database.execute("create table posts (id integer primary key, author integer)")
        database.executemany("insert into posts values (?, ?)", ((n, int(n < 20)) for n in range(300)))


def test_routes_are_asked_in_a_copy_and_their_statements_told(project, scout, monkeypatch):
    repo = project({"app.py": LARGE, "flask.py": WEB, ".gitignore": "*.db\n"})
    filled(repo)
    closed = scout("where do I start?", "--measure").out
    assert "- time: /feed ask for a login: --header 'Authorization: …' measures them too" in closed
    monkeypatch.setenv("FEED_LOGIN", "secret")
    out = scout("where do I start?", "--measure", "--header", "Authorization: $FEED_LOGIN").out
    assert " ms, 21 statements\n" in out and "/delete_all" not in out
    assert "A. app.py:13: GET /feed sends 20 alike: select * from posts where id = ?; gain up to 95 % of the 21" in out
    assert "B. app.py:12: looks through all 300 rows of posts (outside the code); gain large on big tables" in out
    assert "ask: A is safe, start?" in out
    assert "queries, lower is better: 21 now" in out and "secret" not in out
    assert repo.status() == ""


def test_an_earlier_run_its_lessons_and_a_dirty_tree_are_told(project, scout, run_script):
    repo = project({"a.py": "x = 1\n"})
    flags = ("--goal", "g", "--scope", "*.py", "--metric-name", "n", "--direction", "lower", "--verify", "echo 3")
    assert run_script("init_run", "--repo", repo.path, *flags).code == 0
    lesson = ("--title", "t", "--strategy", "s", "--outcome", "keep", "--insight", "caches help")
    assert run_script("lessons", "append", "--repo", repo.path, *lesson).code == 0
    repo.write("a.py", "x = 2\n")
    out = scout("lint").out
    assert "an earlier run (full_resume): session-resume-protocol.md" in out
    assert "lesson: keep: t: caches help" in out
    assert "1 uncommitted: a.py" in out


@pytest.mark.parametrize(
    ("files", "goal", "verify"),
    [
        ({"go.mod": "module a\n", "a.go": "package a\n", "a_test.go": "package a\n"}, "lint", "CHECK govet"),
        ({"Cargo.toml": "[package]\n", "src/lib.rs": "fn a() {}\n"}, "clippy warnings", "CHECK clippy"),
        ({"pkg/__init__.py": "", "m.py": ""}, "faster start-up", "CHECK startup 'import pkg'"),
        ({"i.js": "1\n", "package.json": '{"scripts": {"build": "x"}}'}, "build time", "npm run --silent build"),
        ({"src/p/__init__.py": "", "tests/test_a.py": ""}, "types", "PYTHONPATH=src python3 -m pytest"),
        ({"i.js": "1\n", "i.d.ts": "", "package.json": "{}"}, "clean up", "CHECK eslint i.js"),
        ({"notes.txt": "x\n"}, "make it nicer", "no shipped check fits"),
    ],
)  # fmt: skip
def test_other_projects(files: dict[str, str], goal: str, verify: str, project, scout):
    project(files)
    assert verify in scout(goal).out


def test_tests_without_code_have_no_scope_to_propose(project, scout):
    project({"tests/test_a.py": "def test_a():\n    assert open('value').read() == '0'\n", "value": "1"})
    page = scout("the tests fail", "--format", "text")
    assert page.code == 0 and "choose one with --scope" in page.out, page.err


SLUGS = {
    "slugs/__init__.py": """\
def slugify(text, sep='-'):
    if not text:
        raise ValueError
    return sep.join(text.split())
""",
    "tests/test_slugs.py": """\
import pytest
from slugs import slugify


def test_it():
    assert slugify("a long title of a page", sep="_") == "a_long_title_of_a_page"
    for word in ("x", "y"):
        assert slugify(word) == word
    assert slugify("one") == "one"
    with pytest.raises(ValueError):
        slugify("")
""",
    "README.md": "    >>> slugify('from the README')\n    'from-the-README'\n",
}


def test_a_function_that_the_goal_names_is_called_as_its_tests_call_it(project, scout):
    project(SLUGS)
    out = scout("make slugify faster", "--measure", "--seconds", 60).out
    first = out.partition("1. slugify, lower is better: ")[2].partition("\n2. ")[0]
    assert " now, " in first and "reference_ms" in first, out
    called = """[slugify('a long title of a page', sep='_'), slugify('from the README'), slugify('one')]"""
    assert called in first.replace("'\"'\"'", "'") and "--against " in first
    assert "fill in" not in first and "raises" not in first


def test_the_answers_of_further_calls_are_a_guard(project, scout):
    calls = "\n".join(f"    assert f({number}) == {number}" for number in range(8))
    project({"m.py": "def f(n):\n    return n\n", "test_m.py": f"from m import f\n\n\ndef test_f():\n{calls}\n"})
    out = scout("f() is slow").out
    assert "CHECK answers 'f(4)' 'f(5)' 'f(6)' 'f(7)' --setup 'from m import f' --against" in out


def test_a_function_without_a_known_call_is_named(project, scout):
    project({"m.py": "def work(n):\n    return n\n", "a.js": "exports.other = x => x\n", "package.json": "{}"})
    assert "CHECK call 'CODE' --setup 'from m import work'" in scout("speed up work").out
    project({"lib.js": "exports.join = (...x) => x.join()\n", "README.md": "join('a', 1)\n"})
    out = scout("join is slow").out
    assert (
        """\"[join('a', 1)]\" --setup "const { join } = require('./lib.js')" """ in out and "1. join, lower" in out
    ), out


def test_nothing_that_tests_leave_stays_after_a_look_or_a_dry_run(project, scout, run_script):
    leaves = "for name in ('.benchmarks', '.hypothesis/x', '.pytest_cache', 'tests/__pycache__'):\n"
    leaves += "    os.makedirs(name, exist_ok=True)\n"
    leaves += "for name in ('.coverage', '.coverage.host.1', 'out/r.xml'):\n    open(name, 'w').close()\n"
    test = f"import os\nos.makedirs('out', exist_ok=True)\n{leaves}\n\ndef test_it():\n    assert True\n"
    settings = "[tool.pytest.ini_options]\naddopts = '--junitxml=out/r.xml'\n"
    code = {"pkg/__init__.py": "def f():\n    return 1\n"}
    repo = project({**code, "tests/test_it.py": test, "pyproject.toml": settings, "out/kept": ""})
    (repo.path / ".mypy_cache").mkdir()
    there = sorted(path for path in repo.path.rglob("*") if ".git" not in path.parts)
    assert "1. complex" in scout("fewer complex functions", "--measure").out
    assert sorted(path for path in repo.path.rglob("*") if ".git" not in path.parts) == there
    ran = run_script("init_run", "--repo", repo.path, "--dry-run", "--as-proposed", 1)
    assert ran.json["guard"] == "pass", ran.err
    assert sorted(path for path in repo.path.rglob("*") if ".git" not in path.parts) == there


def test_a_word_of_plain_speech_that_is_a_methods_name_too_is_no_work_to_time(project, scout):
    code = "class Base:\n    def __init__(self):\n        self.held = {1}\n"
    code += "\n    def tables(self):\n        return self.held\n"
    test = "from base import Base\n\n\ndef test_it():\n    db = Base()\n    assert db.tables() == {1}\n"
    project({"base.py": code, "test_base.py": test})
    vague = scout("queries against bigger tables feel slow", "--measure").out
    assert "fill in: CODE" in vague and "tables()" not in vague
    assert '--dry-run --as-proposed 1 --verify "python3 ' in vague, "the call is put in place of CODE"
    assert "tables()" in scout("`tables` is slow", "--measure").out


def test_memory_of_an_import_is_that_of_the_import(project, scout):
    project(PACKAGE)
    assert """CHECK memory "python3 -c 'import pkg'\"""" in scout("it eats too much memory when I import it").out
    assert "CHECK memory 'python3 -m pytest" in scout("too much memory").out

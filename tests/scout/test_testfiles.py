"""What counts as a test, how tests are run, and what must be installed: as the project itself has it."""

from __future__ import annotations

from typing import Callable

import pytest
from autoresearch.scout import lacking, pins, proposals, surroundings, testfiles

from tests.conftest import Repo


@pytest.fixture
def looked(repo: Repo) -> Callable[[dict[str, str]], surroundings.Project]:
    """Return a function that writes files and looks at them."""

    def look(files: dict[str, str]) -> surroundings.Project:
        for path, text in files.items():
            repo.write(path, text)
        repo.git("add", "-A")
        return surroundings.look(repo.path)

    return look


PACKAGE = {"pkg/__init__.py": "", "tests/test_a.py": ""}


@pytest.mark.parametrize(
    ("files", "tests"),
    [
        (
            {"pkg/__init__.py": "from .testing import a\n", "pkg/testing/__init__.py": "", "pkg/testing/test_m.py": ""},
            ("**/test_*.py",),
        ),
        ({"pkg/a.py": "import pkg.test_client as c\n", "pkg/test_client.py": "", "pkg/test_a.py": ""},
         ("**/test_*.py", "!pkg/test_client.py")),
        ({"pkg/testing/__init__.py": "", "pkg/tests/test_a.py": ""}, ("pkg/tests/**",)),
        ({"src/pkg/__init__.py": "from pkg.tests import util\n", "src/pkg/tests/util.py": "",
          "src/pkg/tests/test_a.py": ""},
         ("**/test_*.py",)),
        ({"go.mod": "module x.y/a\n", "a.go": 'import (\n  "x.y/a/internal/testing"\n)\n', "a_test.go": "",
          "internal/testing/t.go": ""}, ("**/*_test.go",)),
        ({"src/i.ts": "import {x} from './testing/h'\n", "src/testing/h.ts": "", "src/testing/h.spec.ts": "",
          "src/spec/reader.ts": "", "test/a.js": ""}, ("**/*.spec.ts", "test/**")),
        ({"polls/models.py": "", "polls/tests.py": ""}, ("**/tests.py",)),
        ({"src/i.ts": "import {x} from './testing/h.js'\n", "src/testing/h.ts": "", "src/testing/h.test.ts": ""},
         ("**/*.test.ts",)),
        ({"src/i.ts": "export * from './test-utils'\n", "src/test-utils/index.ts": "", "src/test-utils/a.test.ts": ""},
         ("**/*.test.ts",)),
        ({"package.json": '{"exports": {"./test": "./src/test/index.ts"}, "x": "src/test/b.spec.ts"}', "src/i.ts": "",
          "src/test/index.ts": "", "src/test/b.spec.ts": ""}, ("**/*.spec.ts",)),
        ({"src/App.vue": "<script>import x from '@/testing/h'</script>", "src/testing/h.ts": "",
          "src/testing/h.spec.ts": ""}, ("**/*.spec.ts",)),
        ({"packages/test/package.json": "{}", "packages/test/src/i.ts": "", "packages/test/src/i.test.ts": ""},
         ("**/*.test.ts",)),
        ({"go.mod": "module x.y/a\n", "a.go": "", "spec/p.go": "", "spec/p_test.go": "", "tests/run.go": "",
          "testing/t.go": "", "testing/t_test.go": ""}, ("**/*_test.go",)),
        ({"spec/openapi.ts": "", "src/i.ts": "", "src/i.spec.ts": ""}, ("**/*.spec.ts",)),
        ({"src/lib.rs": "pub mod test;\n#[cfg(test)]\nmod checks;\n", "src/test/mod.rs": "", "src/checks.rs": "",
          "src/a.rs": "#[cfg(test)] pub(crate) mod tests;", "src/a/tests.rs": "", "crates/b/tests/x.rs": ""},
         ("crates/b/tests/**", "**/tests.rs", "**/checks.rs")),
        ({"src/main/java/A.java": "", "src/test/java/Helper.java": ""}, ("src/test/**",)),
        ({"src/lib.rs": "", "tests/all.rs": ""}, ("tests/**",)),
    ],
)  # fmt: skip
def test_what_the_program_imports_or_ships_is_no_test(files: dict[str, str], tests: tuple[str, ...], looked):
    found = looked(files)
    assert found.tests == tests
    assert testfiles.of(found.root, found.files) == found.held


TOX = """\
[testenv]
deps =
    django32: Django>=3.2,<4.0
    django42: Django>=4.2,<5.0
    djmain: https://example.org/django.tar.gz
    py27: mock<2
    pytest<8 ; python_version < "4"
"""
POETRY = """\
[tool.poetry.dependencies]
django = "^3.2"
foo = {version = "~1.4.2", optional = true}
[tool.poetry.group.dev.dependencies]
pytest = "^0.2.3"
"""


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"tox.ini": TOX, "setup.py": "setup(install_requires=['Django>=2.2'])"},
         {"django": "Django>=2.2,>=4.2,<5.0", "pytest": "pytest<8", "mock": None}),
        ({"requirements-test.txt": "Django<4\nuvloop; sys_platform == 'win32'\n"
          "factory_boy==3.2.1 \\\n  --hash=sha256:a\n",
          "pyproject.toml": "[project]\ndependencies=['django>=2.2', 'attrs (>=19)', 'yamlish[fast] > 1']\n"},
         {"django": "Django<4,>=2.2", "uvloop": None, "factory_boy": "factory_boy==3.2.1", "attrs": "attrs>=19",
          "yamlish": "yamlish[fast]>1"}),
        ({"pyproject.toml": "[project]\nauthors=[{email='jaraco@x.org'}]\ndependencies=['a @ git+https://x.org/a']\n"},
         {"jaraco": None, "a": "a"}),
        ({"pyproject.toml": POETRY},
         {"django": "django>=3.2,<4", "foo": "foo>=1.4.2,<1.5", "pytest": "pytest>=0.2.3,<0.3"}),
        ({"setup.cfg": "[options]\ninstall_requires =\n    Django>=3.2\n    old; python_version<'3.0'\n",
          "docs/requirements.txt": "Django==2.0\n", "requirements.txt": "Django==3.2.5\n"},
         {"django": "Django==3.2.5", "old": None}),
        ({"setup.py": "setup(extras_require={'old': ['a<3'], 'new': ['a>=4']})"}, {"a": "a<3"}),
    ],
)  # fmt: skip
def test_packages_are_asked_for_as_the_project_pins_them(files: dict[str, str], wanted: dict[str, str], looked):
    found = pins.declared(looked(files))
    assert {name: found.get(name) for name in wanted} == wanted


def test_of_several_modules_that_are_tried_the_one_that_is_always_needed_is_asked_for(looked):
    extras = "[project.optional-dependencies]\nfast = ['Unidecode>=1']\n"
    needs = "[project]\nname = 'slugs'\ndependencies = [\n  'text-unidecode>=1.3', 'pip[x]'\n]\n"
    project = looked({**PACKAGE, "pyproject.toml": needs + extras})
    assert pins.always(project) == ("text_unidecode", "pip")
    assert lacking.named_in(project, "E   No module named 'unidecode' | tried") == "pip text-unidecode>=1.3"
    shared = {"pkg/__init__.py": "from jaraco.functools import once\n", "pyproject.toml": "d = ['jaraco.functools']\n"}
    assert lacking.of(looked({**shared, "mail.toml": "'jaraco@x.org'"})).program == ("pip jaraco.functools",)


ACTION = "jobs:\n  a:\n    steps:\n      - run: pip install tox\n      - run: |\n          {}\n"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({}, "-m pytest -q -p no:cacheprovider"),
        ({"manage.py": "", "tox.ini": "[testenv]\nsetenv =\n  DJANGO_SETTINGS_MODULE = t.s\ncommands =\n"
          "  coverage run --source pkg -m pytest --cov pkg {posargs:tests}\n"},
         "-m pytest -q -p no:cacheprovider tests"),
        ({"manage.py": "", "tox.ini": "[testenv]\ncommands = {envpython} -W error manage.py test tests {posargs}\n"},
         "manage.py test tests"),
        ({"manage.py": "", "pyproject.toml": "[tool.pytest.ini_options]\nDJANGO_SETTINGS_MODULE = 't'\n",
          ".github/workflows/t.yml": ACTION.format("python manage.py test")}, "-m pytest -q -p no:cacheprovider"),
        ({"runtests.py": "", ".github/workflows/t.yml": ACTION.format("python runtests.py --failfast")},
         "runtests.py --failfast"),
        ({"Makefile": "test:\n\t@coverage run -m unittest discover tests\n"}, "-m unittest discover tests"),
        ({"noxfile.py": "def t(session):\n    session.run('python', '-m', 'unittest', 'tests.test_a')\n"},
         "-m unittest tests.test_a"),
        ({"manage.py": "", "shop/settings.py": "INSTALLED_APPS = []\n",
          "tests/test_b.py": "from django.test import TestCase\n"},
         "manage.py test"),
        ({"tests/settings.py": "INSTALLED_APPS = []\n", "tests/test_b.py": "from django.test import TestCase\n"},
         "-m django test --settings=tests.settings"),
        ({"pyproject.toml": '[tool.hatch.envs.default.scripts]\ntest = "pytest -x {args:tests}"\n'},
         "-m pytest -q -p no:cacheprovider tests"),
    ],
)  # fmt: skip
def test_the_guard_is_the_runner_that_the_project_names(files: dict[str, str], command: str, looked):
    guard = proposals.guard_command(looked({**PACKAGE, **files}))
    assert guard.endswith(f"python3 {command}")
    assert guard.startswith("DJANGO_SETTINGS_MODULE=t.s ") == ("t.s" in files.get("tox.ini", ""))


def test_tests_that_pin_the_number_of_queries_are_named(looked):
    tests = (
        "def test(self):\n    with self.assertNumQueries(3):\n        pass\n    assert len(ctx.captured_queries) == 2\n"
    )
    project = looked({**PACKAGE, "pkg/m.py": "import sqlite3\n", "tests/test_q.py": tests})
    told = proposals.make(project, "queries", proposals.CheckRequest("fewer queries")).misses
    assert "tests pin the number of queries (tests/test_q.py:2, tests/test_q.py:4) and refuse fewer" in told
    assert "pin" not in proposals.make(project, "mypy", proposals.CheckRequest("fewer queries")).misses

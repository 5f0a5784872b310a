"""Applications of Django without a site: what asks them, and where their templates send statements. Django itself is
not among the tools of the tests; tests/benchmarks/first-look.md tells of real ones."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Callable

import pytest
from autoresearch.checks import toolbox
from autoresearch.scout import picture, surroundings, webapps

from tests.conftest import Ran, Repo

FILES = {
    "todo/__init__.py": "",
    "todo/models.py": "from django.db import models\n",
    "todo/urls.py": "from django.urls import path\nurlpatterns = []\n",
    "setup.cfg": "[options]\ninstall_requires =\n    Django >= 4.0\n",
}


def test_an_application_is_asked_on_a_site_in_memory(repo: Repo):
    for path, text in FILES.items():
        repo.write(path, text)
    repo.commit("project")
    project = surroundings.look(repo.path)
    assert webapps.web_app(project) == "django:todo"
    assert webapps.site(project) == "import djangosite; get = djangosite.site('todo')"
    repo.write("manage.py", "")
    repo.commit("settings")
    assert webapps.web_app(surroundings.look(repo.path)) == "django:"


def test_what_is_missing_is_installed_before_the_rest_is_filled_in(repo: Repo, run_script: Callable[..., Ran]):
    for path, text in FILES.items():
        repo.write(path, text)
    repo.commit("project")
    out = run_script("scout", "--repo", repo.path, "--goal", "this app is slow").out
    assert out.startswith("MISSING: Django>=4.0 for check 1"), out
    assert "after the yes, INSTALL && python3" in out and out.rstrip().endswith("(which fills the rest in)")
    assert "manage.py" not in out


def test_statements_of_templates_have_their_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(toolbox.INSIDE))
    sys.modules.pop("callable", None)
    import callable as counting  # type: ignore[import-not-found]

    node = SimpleNamespace(origin=SimpleNamespace(name="/p/todo/a.html"), token=SimpleNamespace(lineno=7))
    django = SimpleNamespace(
        f_code=SimpleNamespace(co_filename="/lib/django/base.py", co_name="render_annotated"),
        f_lineno=900, f_locals={"self": node}, f_globals={},
    )  # fmt: skip
    jinja = SimpleNamespace(
        f_code=SimpleNamespace(co_filename="/p/t/b.html", co_name="root"),
        f_lineno=20, f_locals={}, f_globals={"debug_info": "1=12&4=18&9=30"},
    )  # fmt: skip
    statements = counting.Statements()
    assert statements.place(django, "/p/") == ("todo/a.html", 7)
    assert statements.place(jinja, "/p/") == ("t/b.html", 4)
    django.f_code.co_name = "render"
    assert statements.place(django, "/p/") is None


def test_loops_that_no_request_showed_are_not_called_safe():
    read = picture.Cause("a.py:3", "a database query for each turn of a loop", "large", "low: one query")
    (found,) = picture.together([read], [], True)
    assert found.unreached and not picture.together([read], [], False)[0].unreached

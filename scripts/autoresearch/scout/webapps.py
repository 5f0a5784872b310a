"""Web applications of a project: which module makes them, their routes, and how a server of them starts."""

from __future__ import annotations

import ast
import re
import shlex

from ..checks import toolbox
from . import lacking, surroundings
from .surroundings import Project

_TIME = r"\d{4}-\d\d-\d\d[T ][\d:.]+"  # differs from answer to answer


def operands(project: Project, module: str) -> tuple[str, str]:
    """Operands of `http`: the slowest route that was measured, else one that the sources name; and what is to be
    filled in."""
    path, rest, missing = _serve(project, module)
    given = "".join(f" --header {_quoted(header)}" for header in project.headers)
    return f"{shlex.quote(path)} --serve {shlex.quote(rest)}{given}", missing


def _quoted(header: str) -> str:
    """For a shell, which puts in the value of a variable that the header names, so that no log holds a secret."""
    named = re.fullmatch(r"[\w-]+: [\w ]*\$\w+", header)
    return f'"{header}"' if named else shlex.quote(header)


def _serve(project: Project, module: str) -> tuple[str, str, str]:
    """A route, the command that starts the server, and what of both is to be filled in."""
    found = surroundings.frameworks(project)
    plain = (route for route in _routes(project) if not re.search(r"[<{:*]", route))
    path = next(iter(project.routes), "") or next(plain, "/PATH")
    fill_in = "" if path != "/PATH" else "PATH: a route that answers 200"
    app = web_app(project) or f"{module}:app"
    name, factory = app.removesuffix("()"), " --factory" if app.endswith("()") else ""
    if "FastAPI" in found:
        return path, f"{lacking.interpreter(project)} -m uvicorn {name}{factory} --port {{port}}", fill_in
    if "Django" in found:
        return path, f"{lacking.interpreter(project)} manage.py runserver --noreload {{port}}", fill_in
    if "Flask" in found:
        return path, f"{lacking.interpreter(project)} -m flask --app {name} run --port {{port}}", fill_in
    main = project.package.get("main") or "server.js"
    return path, f"node {main}", fill_in or f"{main} must listen on process.env.PORT"


def _routes(project: Project) -> list[str]:
    pattern = re.compile(r"""(?:\.(?:route|get)\(\s*["'](?=/)|\bpath\(\s*["'])([^"'\s]*)["']""")
    code = [name for name in project.files if name.endswith((".py", ".js", ".ts"))][:300]
    found = [route for name in code for route in pattern.findall(toolbox.read(project.root / name))]
    return sorted({"/" + route.lstrip("/") for route in found}, key=len, reverse=True)


def web_app(project: Project) -> str:
    """The web application as `module:name`, `module:name()` where a function without arguments makes it; of Django
    `django:APP,APP`, without names where a manage.py has the settings."""
    if "Django" in surroundings.frameworks(project):
        return f"django:{'' if 'manage.py' in project.files else ','.join(_django_apps(project))}"
    for name in project.files:
        if name.endswith(".py") and not project.is_test(name):
            text = toolbox.read(project.root / name)
            found = _made(text) if re.search(r"=\s*(?:\w+\.)?(?:Flask|FastAPI)\(", text) else ""
            if found:
                module = name.removesuffix(".py").removesuffix("/__init__").removeprefix("src/").replace("/", ".")
                return f"{module}:{found}"
    return ""


def _django_apps(project: Project) -> list[str]:
    """Packages with models or routes of Django."""
    pattern = re.compile(r"(?:src/)?((?:\w+/)*\w+)/(?:models|urls)(?:\.py|/__init__\.py)$")
    found = (pattern.match(name) for name in project.files if not project.is_test(name))
    return list(dict.fromkeys(match[1].replace("/", ".") for match in found if match))


def _made(text: str) -> str:
    """The name at the top that holds the application, or the function at the top that returns it."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return ""
    name = next(filter(None, map(_assigned, body)), "")
    if name:
        return name
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    callable_as_is = [node for node in functions if len(node.args.args) == len(node.args.defaults)]
    makers = (node.name for node in callable_as_is if any(map(_assigned, ast.walk(node))))
    return next((f"{name}()" for name in makers), "")


def _assigned(node: ast.AST) -> str:
    """The name that a statement gives to a new application."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return ""
    called, target = ast.unparse(node.value.func).rpartition(".")[2], node.targets[0]
    return target.id if called in ("Flask", "FastAPI") and isinstance(target, ast.Name) else ""


def request(project: Project) -> tuple[str, str] | None:
    """Operands of `queries`: the slowest route of a Flask application, asked by its own client; None for others."""
    app, found = web_app(project), surroundings.frameworks(project)
    if app and project.routes and "Django" in found:
        return f'"get({project.routes[0]!r})" --setup {shlex.quote(site(project))}', ""
    if not app or not project.routes or "Flask" not in found:
        return None
    module, _, name = app.partition(":")
    sent = ", ".join(f"{key!r}: {_value(text.strip())}" for key, _, text in (h.partition(":") for h in project.headers))
    setup = f"import os, re; from {module} import {name.removesuffix('()')}; client = {name}.test_client()"
    got = f"client.get({project.routes[0]!r}{f', headers={{{sent}}}' if sent else ''}).get_data(as_text=True)"
    code = f"re.sub({_TIME!r}, '', {got})"
    return f"{shlex.quote(code)} --setup {shlex.quote(setup)}", ""


def site(project: Project) -> str:
    """Statements that make a site of a project's Django applications, and `get` to ask it."""
    apps = web_app(project).partition(":")[2]
    return f"import djangosite; get = djangosite.site({', '.join(map(repr, filter(None, apps.split(','))))})"


def _value(text: str) -> str:
    return f"os.path.expandvars({text!r})" if "$" in text else repr(text)

"""Projects of Node: settings that nobody wrote are told as such, and tests that cannot run are told first."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Callable

import pytest
from autoresearch.scout import nodeentry, nodetests, surroundings, tssettings

from tests.checks.conftest import link_node_modules, need
from tests.conftest import Ran, Repo


@pytest.fixture
def scout(repo: Repo, run_script: Callable[..., Ran], tmp_path: Path) -> Callable[..., str]:
    """Return `scout(files, goal, *flags)`: the page."""

    def run(files: dict[str, str], goal: str, *flags: object) -> str:
        for path, text in files.items():
            repo.write(path, text)
        repo.git("add", "-A"), repo.git("commit", "-qm", "project", "--allow-empty")
        env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
        ran = run_script("scout", "--repo", repo.path, "--goal", goal, *flags, env=env)
        assert ran.code == 0 and len(ran.out) <= 3600, ran.err
        return ran.out

    return run


@pytest.mark.parametrize(
    ("files", "given"),
    [
        ({}, " --option=--strict"),
        ({"tsconfig.json": "{}"}, ""),
        ({"src/tsconfig.json": "{}"}, ""),
        ({"tsconfig.build.json": "{}"}, " --tool tsconfig.build.json"),
        ({"package.json": '{"scripts": {"types": "tsc -p etc/ts.json"}}', "etc/ts.json": "{}"}, " --tool etc/ts.json"),
        ({"package.json": '{"scripts": {"types": "tsc -p ../../ts.json", "x": 1}}'}, " --option=--strict"),
        ({"package.json": '{"scripts": []}'}, " --option=--strict"),
        ({"src/a.ts": None, "lib/a.js": ""}, " --option=--allowJs --option=--checkJs --option=--strict"),
        ({"src/a.ts": None, "lib/a.js": "", "tsconfig.json": "{}"}, " --option=--allowJs --option=--checkJs"),
    ],
)  # fmt: skip
def test_types_are_checked_by_settings_of_the_project_or_by_assumed_ones(
    files: dict[str, str | None], given: str, repo: Repo
):
    for path, text in {"src/a.ts": "", **files}.items():
        if text is not None:
            repo.write(path, text)
    repo.git("add", "-A")
    assert tssettings.operands(surroundings.look(repo.path), ["src"]) == given


def test_a_number_by_assumed_settings_says_so(scout: Callable[..., str], repo: Repo):
    need("node", "tsc")
    link_node_modules(repo, "tsc")
    repo.write(".git/info/exclude", "node_modules\n")
    package = '{"name": "a", "scripts": {"build": "x", "typecheck": "tsc"}, "devDependencies": {"typescript": "5"}}'
    out = scout({"src/a.ts": "export const f = (a) => a\n", "package.json": package}, "no type errors", "--measure")
    assert "1. errors, lower is better: 1 now by ASSUMED settings" in out
    assert "CHECK tsc src --option=--strict\n" in out and "misses: NO tsconfig.json exists" in out
    assert "`npm run typecheck` passes or fails, no number" in out
    assert repo.status() == "" and shutil.which("tsc")
    (repo.path / "node_modules").unlink()
    assert "Counted: errors (any, casts, bangs, ignores may not grow), by ASSUMED settings" in scout(
        {}, "no type errors"
    )


RAN = {"a.js": "", "test/a.test.js": ""}


@pytest.mark.parametrize(
    ("script", "files", "packages", "note"),
    [
        ("jest", {}, ("npm jest",), ""),
        ("vitest run --config etc/v.config.ts", {}, (), "npm test names etc/v.config.ts, which"),
        ("vitest run -c etc/v.ts", {"etc/v.ts": ""}, ("npm vitest",), ""),
        ("node test/all.js", {}, (), "names test/all.js"),
        ("node --test", {}, (), ""),
        ("node dist/test.js", {}, (), ""),
        ("npm run unit && cross-env A=1 c8 mocha", {}, ("npm ava", "npm cross-env", "npm c8", "npm mocha"), ""),
        ("tape test/*.js", {"package.json": '{"devDependencies": {"tape": "5"}}'}, ("npm ",), ""),
        ("acme-runner", {}, (), "npm test calls acme-runner, which is not here and in no package"),
        ("acme-runner", {"node_modules/.bin/acme-runner": "#!/bin/sh\n"}, (), ""),
        ("./run-tests.sh", {}, (), ""),
        ("echo 'no test specified' && exit 1", {}, (), ""),
        ("pnpm -r test", {}, ("npm pnpm",), ""),
        ("jest --config", {}, ("npm jest",), ""),
    ],
)  # fmt: skip
def test_what_npm_test_lacks(
    script: str,
    files: dict[str, str],
    packages: tuple[str, ...],
    note: str,
    repo: Repo,
    monkeypatch: pytest.MonkeyPatch,
):
    from autoresearch.kernel.core import jsontext

    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    manifest = {"scripts": {"test": script, "unit": "ava"}, **jsontext.loads(files.get("package.json", "{}"))}
    for path, text in {**RAN, **files, "package.json": jsontext.dumps(manifest)}.items():
        repo.write(path, text)
        (repo.path / path).chmod(0o755)
    repo.git("add", "-A")
    found = nodetests.of(surroundings.look(repo.path))
    assert found.packages == packages
    assert note in found.note and bool(note) == bool(found.note)


def test_tests_that_cannot_run_are_told_first_and_are_no_guard(scout: Callable[..., str]):
    out = scout(
        {**RAN, "package.json": '{"scripts": {"test": "jest -c etc/jest.json"}}'}, "fewer repeated lines", "--measure"
    )
    assert out.startswith("NOT HERE: npm test names etc/jest.json, which is not in this repository: it fails before")
    assert "guard: none: say so" in out


@pytest.mark.parametrize(
    ("package", "source", "built"),
    [
        ('{"main": "lib/a.js"}', "lib/a.js", ""),
        ('{"main": "dist/a.js", "types": "dist/index.d.ts"}', "src/index.ts", "dist/a.js"),
        ('{"exports": {".": {"import": "./dist/index.mjs"}}, "module": "./dist/m.js"}', "src/index.ts", "dist/m.js"),
        ('{"source": "src/index.ts", "main": "dist/x.js"}', "src/index.ts", "dist/x.js"),
        ('{"main": "dist/gone.js"}', "", "dist/gone.js"),
        ("{}", "", ""),
    ],
)
def test_the_entry_is_a_source_that_edits_reach(package: str, source: str, built: str, repo: Repo):
    for path in ("lib/a.js", "src/index.ts", "dist/a.js"):
        repo.write(path, "")
    repo.write("package.json", package)
    repo.git("add", "-A")
    project = surroundings.look(repo.path)
    assert (nodeentry.source(project), nodeentry.built(project)) == (source, built)


@pytest.mark.parametrize(
    ("scripts", "command"),
    [
        ({}, "npm test --silent"),
        ({"pretest": "npm run lint", "posttest": "aud --production"}, "npm test --silent --ignore-scripts"),
        ({"pretest": "npm run build"}, "npm test --silent"),
        ({"pretest": "tsc --noEmit"}, "npm test --silent --ignore-scripts"),
        ({"pretest": "tsc -p ."}, "npm test --silent"),
    ],
)
def test_what_npm_runs_around_the_tests_is_no_guard(scripts: dict[str, str], command: str, repo: Repo):
    from autoresearch.kernel.core import jsontext

    repo.write("package.json", jsontext.dumps({"scripts": {"test": "node --test", **scripts}}))
    assert nodeentry.tests(surroundings.look(repo.path)) == command


def test_a_lint_without_settings_asks_for_them(scout: Callable[..., str]):
    package = '{"devDependencies": {"eslint": "9"}, "scripts": {"lint": "eslint ."}}'
    out = scout({"index.js": "", "package.json": package}, "lint", "--measure")
    assert "verify: CHECK eslint index.js --option=-c --option=FILE" in out
    assert (
        "   To agree: settings of ESLint, of which none exist here" in out and "--option=FILE'" in out.splitlines()[-1]
    )
    out = scout({"eslint.config.mjs": "export default []\n"}, "lint")
    assert "FILE" not in out


def test_a_call_takes_objects_and_needs_what_the_program_imports(scout: Callable[..., str]):
    files = {
        "index.js": "const dep = require('dep')\nexports.render = function render(a) { return dep(a) }\n",
        "test/a.js": "render({ a: [1, 'x)'], 'b': null })\nrender(other)\nrender('short')\n",
        "package.json": '{"main": "index.js", "dependencies": {"dep": "1"}}',
    }
    out = scout(files, "render is slow", "--measure")
    assert out.startswith("MISSING: what package.json names for check 1")
    assert "call-node \"[render({ a: [1, 'x)'], 'b': null }), render('short')]\"" in out and "--against" in out


def test_types_of_javascript_are_checked_by_assumed_settings(scout: Callable[..., str], repo: Repo):
    need("node", "tsc")
    link_node_modules(repo, "tsc")
    repo.write(".git/info/exclude", "node_modules\n")
    out = scout({"lib/a.js": "/** @param {string} a */\nexports.f = a => a * 2\n"}, "type errors", "--measure")
    assert "1. errors, lower is better: 1 now by ASSUMED settings" in out


def test_packages_of_a_workspace_bring_their_runner_and_one_without_settings_is_told(
    scout: Callable[..., str], repo: Repo
):
    need("node", "tsc")
    link_node_modules(repo, "tsc")
    repo.write(".git/info/exclude", "node_modules\n")
    files = {
        "package.json": '{"workspaces": ["packages/*"], "devDependencies": {"typescript": "5"}}',
        "packages/a/package.json": '{"devDependencies": {"vitest": "3"}}',
        "packages/a/tsconfig.json": "{}",
        "packages/a/src/a.ts": "export const a: number = 's'\n",
        "packages/b/src/b.ts": "export const b: number = 's'\n",
    }
    out = scout(files, "type errors", "--measure")
    assert "1. errors, lower is better: 1 now (CAUTION: no tsconfig.json is at or above packages/b/src" in out
    assert "verify: CHECK vitest" in scout({}, "tests fail")


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("npm run lint && npm run unit", "node_modules/.bin/tape 'test/*.js'"),
        ("c8 --check-coverage mocha -t 9", "node_modules/.bin/mocha -t 9 --reporter tap"),
        ("cross-env NODE_ENV=test ava", "NODE_ENV=test node_modules/.bin/ava --tap"),
        ("node --test test/", "node --test-reporter=tap --test test/"),
        ("node --import tsx --test", "node --test-reporter=tap --import tsx --test"),
        ("node test/all.js", ""),
        ("jest", ""),
    ],
)
def test_tests_of_other_runners_print_tap(script: str, command: str, repo: Repo):
    from autoresearch.kernel.core import jsontext

    scripts = {"test": script, "lint": "eslint .", "unit": "nyc tape 'test/*.js'"}
    repo.write("package.json", jsontext.dumps({"scripts": scripts}))
    assert nodetests.tap(surroundings.look(repo.path)) == command

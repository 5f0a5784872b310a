"""Checks that run elsewhere: a template with a shared folder, a bundle without one, and what is no executor."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from autoresearch.executors import arrays, bundles, elsewhere, lifeline
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.core.timelimit import TimeLimit
from autoresearch.kernel.run.measure import Bench

from tests.conftest import SCRIPTS, Ran, Repo

Run = Callable[..., Ran]
TREE = Path("/w")
# Stands in for ssh: hands its words, joined, to a shell that starts in another folder with another home.
HOST = '#!/bin/sh\nshift\necho "$*" >> {log}\ncd {far} && HOME={far} exec /bin/sh -c "$*"\n'


def test_words_for_another_shell_are_quoted_and_others_are_not() -> None:
    check = "cat 'a b'"
    *words, quoted = elsewhere.filled("ssh host cd {worktree} && {command}".split(), TREE, check)
    assert words == ["ssh", "host", "cd", "/w", "&&"]
    assert shlex.split(quoted) == ["/bin/sh", "-c", lifeline.held(check)] and shlex.quote(check) in lifeline.held(check)
    assert elsewhere.filled("docker run -v {worktree}:/w image {command}".split(), TREE, check) == [
        *("docker", "run", "-v", "/w:/w", "image"),
        *("/bin/sh", "-c", check),
    ]


@pytest.mark.parametrize(
    ("executor", "more", "results", "wanted"),
    [
        ("slurm --array -p x", {}, (), True),
        ("slurm --array=%2", {}, (), True),
        ("slurm -p x", {}, (), False),
        ("ssh --array {command}", {}, (), False),
        ("slurm --array", {"prepare": "make"}, (), False),
        ("slurm --array", {"metric_from": "junit:out.xml"}, (), False),
        ("slurm --array", {"metric_from": "pytest"}, (), True),
        ("slurm --array", {}, ("out.json",), False),
    ],
)
def test_only_what_may_overlap_in_one_folder_is_an_array(
    monkeypatch: pytest.MonkeyPatch, executor: str, more: dict[str, str], results: tuple[str, ...], wanted: bool
) -> None:
    asked: list[tuple[int, str, list[str]]] = []

    def made(bench: Bench, count: int, most: str, flags: list[str]) -> list[object]:
        asked.append((count, most, flags))
        return []

    monkeypatch.setattr(arrays, "_made", made)
    bench = Bench(TREE, TREE, Config(executor=executor, **more), TimeLimit(1), "m", results=results)  # type: ignore[arg-type]
    with arrays.ahead(bench, 3) as at_once:
        assert at_once is wanted
    flags = [word for word in executor.split()[1:] if "array" not in word]
    assert asked == ([(3, executor.partition("=")[2], flags)] if wanted else [])


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A program that is called as ssh is."""
    far = tmp_path / "far"
    far.mkdir()
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(HOST.format(far=far, log=tmp_path / "asked"))
    program.chmod(0o755)
    return program


def start(run_script: Run, repo: Repo, executor: str) -> Ran:
    """Set up a run with this executor."""
    return run_script(
        *("init_run", "--repo", repo.path, "--goal", "less", "--scope", "n", "--metric-name", "n"),
        *("--direction", "lower", "--verify", "cat n; pwd >> $HOME/places", "--executor", executor),
    )


def keeps_nine(run_script: Run, repo: Repo, executor: str) -> None:
    """A run from 10 whose trial of 9 is kept, measured by this executor."""
    repo.write("n", "10\n")
    repo.commit("ten")
    ran = start(run_script, repo, executor)
    assert ran.code == 0, ran.err
    repo.write("n", "9\n")
    answer = run_script("run_trial", "--repo", repo.path, "--description", "nine").json
    assert (answer["status"], answer["metric"]) == ("keep", 9)


def test_a_shared_folder_is_enough_for_a_template(repo: Repo, run_script: Run, host: Path) -> None:
    keeps_nine(run_script, repo, f"{host} box cd {{worktree}} && {{command}}")
    places = (host.parent.parent / "far" / "places").read_text().split()
    assert set(places) == {str(repo.path)} and len(places) == 4


def test_a_bundle_carries_what_is_measured(repo: Repo, run_script: Run, host: Path) -> None:
    keeps_nine(run_script, repo, f"{host} box {{far}}")
    far = host.parent.parent / "far"
    assert all(place.startswith(str(far)) for place in (far / "places").read_text().split())
    (cache,) = (far / ".cache" / "autoresearch").iterdir()
    assert list(cache.iterdir()) == []  # neither repository nor worktree nor bundle stays
    assert repo.git("for-each-ref", "refs/worktree") == ""


# Called as these engines are, each does here what they do elsewhere: with a folder that they share, in a shell of their
# own (sky), without one (docker, kubectl).
ENGINES = {
    "docker": 'while [ "$1" != IMAGE ]; do [ "$1" != -v ] || at=${{2%%:*}}; shift; done; shift; cd "$at" && exec "$@"',
    "kubectl": 'while [ "$1" != -- ]; do shift; done; shift; cd {far} && HOME={far} exec "$@"',
    "sky": 'shift 2; cd {far} && exec /bin/bash -c "$*"',
}
TEMPLATES = (
    ("docker", "run --rm -v {worktree}:/w -w /w IMAGE {command}"),
    ("kubectl", "exec POD -- env -C {worktree} {command}"),
    ("kubectl", "exec -i POD -- /bin/sh -c {far}"),
    ("sky", "exec CLUSTER cd {worktree} && {command}"),
)


@pytest.mark.parametrize(("name", "rest"), TEMPLATES)
def test_the_templates_of_the_page_with_stand_ins_for_engines(
    repo: Repo, run_script: Run, tmp_path: Path, name: str, rest: str
) -> None:
    page = (SCRIPTS.parent / "docs" / "scale.md").read_text("utf-8")
    assert f"`{name} {rest}`" in page
    far = tmp_path / "far"
    far.mkdir()
    program = tmp_path / name
    program.write_text(f"#!/bin/bash\n{ENGINES[name].format(far=far)}\n")
    program.chmod(0o755)
    keeps_nine(run_script, repo, f"{program} {rest}")
    places = set((Path(far if name == "kubectl" else os.environ["HOME"]) / "places").read_text().split())
    assert all(place.startswith(str(far)) for place in places) if "{far}" in rest else places == {str(repo.path)}


class Crossed(bundles.Sender):
    """Another worktree sends its content just before this one's bundle is written."""

    other: tuple[Path, Path]

    def _write(self, args: Sequence[str], stdin: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        if args[0] == "bundle":
            bundles.Sender(self.other[0]).bundle(self.other[1])
        return super()._write(args, stdin, env)


def test_worktrees_that_send_at_one_time_send_each_its_own(repo: Repo, tmp_path: Path) -> None:
    repo.write("n", "10\n")
    repo.commit("ten")
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "w"))
    (tmp_path / "w" / "n").write_text("9\n")
    first = Crossed(repo.path)
    first.other = (tmp_path / "w", tmp_path / "other.bundle")
    commit = first.bundle(tmp_path / "one.bundle")
    for name, number in (("one", "10"), ("other", "9")):
        repo.git("init", "-q", "--bare", str(tmp_path / name))
        repo.git("--git-dir", str(tmp_path / name), "fetch", "-q", str(tmp_path / f"{name}.bundle"), bundles._REF)
        assert repo.git("--git-dir", str(tmp_path / name), "show", "FETCH_HEAD:n") == number
    assert repo.git("--git-dir", str(tmp_path / "one"), "rev-parse", "FETCH_HEAD") == commit


def test_workers_and_what_is_merged_travel_as_bundles_too(repo: Repo, run_script: Run, host: Path) -> None:
    for letter in "abc":
        repo.write(f"n-{letter}", "9\n")
    repo.commit("nines")
    wish = ("--goal", "less", "--scope", "n-*", "--metric-name", "n", "--direction", "lower", "--parallel-mode")
    verify = "echo $(($(cat n-a) + $(cat n-b) + $(cat n-c))); pwd >> $HOME/places"
    ran = run_script(
        "init_run", "--repo", repo.path, *wish, "parallel", "--verify", verify, "--executor", f"{host} b {{far}}"
    )
    assert ran.code == 0, ran.err
    opened = run_script("run_batch", "open", "--repo", repo.path, "--workers", 3, "--oversubscribe")
    assert opened.code == 0, opened.err
    for worker, number in zip(opened.json["workers"], (7, 6, 8)):
        (Path(worker["path"]) / f"n-{worker['id']}").write_text(f"{number}\n")
    answer = run_script("run_batch", "close", "--repo", repo.path).json
    assert (answer["selected_worker"], answer["retained_metric"]) == ("b", 21), answer
    assert [one["status"] for one in answer["runners_up"]] == ["keep", "keep"]
    far = host.parent.parent / "far"
    assert all(place.startswith(str(far)) for place in (far / "places").read_text().split())
    (cache,) = (far / ".cache" / "autoresearch").iterdir()
    assert list(cache.iterdir()) == []
    assert repo.git("for-each-ref", "refs/worktree") == ""


def test_what_runs_no_check_is_refused(repo: Repo, run_script: Run) -> None:
    repo.write("n", "10\n")
    repo.commit("ten")
    ran = start(run_script, repo, "ssh host")
    assert ran.code == 1 and "runs no check" in ran.err
    assert not (repo.path / "research-results.tsv").exists()

"""`finalize`, driven as users drive it: runs made by the real scripts, then the branch, the text, the refusals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from autoresearch.kernel.core import config
from autoresearch.kernel.run import trial
from autoresearch.setup import init

from tests.conftest import Repo
from tests.finalize import histories

VERIFY = "cat n.txt"


@pytest.fixture
def start(repo: Repo, run_script):
    """Return a function that begins a run in `repo` with the flags given."""

    def begin(*flags: str, verify: str = VERIFY) -> Repo:
        repo.write("n.txt", "10\n")
        repo.write(".gitignore", "deps/\n")
        repo.commit("a number")
        asked = ["--goal", "fewer @everyone", "--scope", "n.txt src/", "--metric-name", "n", "--direction", "lower"]
        ran = run_script("init_run", "--repo", repo.path, *asked, "--verify", verify, *flags)
        assert ran.code == 0, ran.err
        return repo

    return begin


@pytest.fixture
def attempt(repo: Repo, run_script):
    """Return a function that edits files and runs a trial of it."""

    def run(description: str, hypothesis: str = "", **files: str) -> str:
        for name, text in files.items():
            repo.write({"n": "n.txt", "a": "src/a.txt", "b": "src/b.txt"}[name], text)
        ran = run_script("run_trial", "--repo", repo.path, "--description", description, "--hypothesis", hypothesis)
        assert ran.code == 0, ran.err
        return str(ran.json["status"])

    return run


@pytest.fixture
def finalize(repo: Repo, run_script):
    """Return a function that runs the script in `repo`."""
    return lambda *flags, **more: run_script("finalize", "--repo", repo.path, "--branch", "clean", *flags, **more)


def refused(ran, repo: Repo) -> str:
    """The reason of a refusal, after a look that it left nothing."""
    assert (ran.code, ran.out) == (1, "")
    told = [line for line in ran.err.split("\n") if line and not line.startswith("… ")]
    assert len(told) == 1 and told[0].startswith("error: ")
    assert repo.git("branch", "--list", "clean") == ""
    assert repo.git("worktree", "list").count("\n") == 0
    return str(told[0])


def test_only_what_was_kept_is_on_the_branch(start, attempt, finalize):
    repo = start("--guard", "true", "--confirm", "true")
    assert attempt("nine of them", "one is never read", n="9\n") == "keep"
    assert attempt("worse", n="12\n") == "discard"
    assert attempt("eight", a="new\n", n="8\n") == "keep"
    before = (repo.git("rev-parse", "HEAD"), repo.git("branch", "--show-current"), repo.status())
    answer = finalize().json
    assert (repo.git("rev-parse", "HEAD"), repo.git("branch", "--show-current"), repo.status()) == before
    assert repo.git("log", "--format=%s", "clean").split("\n") == ["eight", "nine of them", "a number", "start"]
    assert repo.git("rev-parse", "clean^{tree}") == repo.git("rev-parse", "HEAD^{tree}")
    assert repo.git("log", "-1", "--format=%b", "clean~1").split("\n") == [
        "one is never read",
        "",
        "n: 10 -> 9 (-1, -10.0%), lower is better",
        "Measured as experiment 1 of run fewer-everyone, guard passed.",
    ]
    assert answer["head"] == repo.git("rev-parse", "clean")
    assert [(c["iterations"], c["before"], c["after"]) for c in answer["commits"]] == [([1], 10, 9), ([3], 9, 8)]
    assert (answer["guard"], answer["confirm"], answer["metric"]["status"]) == ("pass", "pass", "pass")
    assert (answer["tree_equal"], answer["metric"]["measured"]) == (True, 8)


def test_the_pull_request_tells_the_same_numbers_and_runs_nothing_of_theirs(start, attempt, finalize):
    start()
    attempt("nine | `x` @you <b>", "because [a](b)", n="9\n")
    text = Path(finalize().json["pull_request_path"]).read_text()
    assert text.startswith("# n: 10 -> 9 (-1, -10.0%)\n")
    assert "> fewer &#64;everyone" in text
    assert r"| 1 | nine \| \`x\` &#64;you \<b\> | 10 -> 9 (-1, -10.0%) | - | because \[a\](b) |" in text
    assert "clean checkout of this branch: 9 (1 run; equal to the run's)" in text
    assert "```sh\ngit switch --detach " in text and "\ngit switch clean\ncat n.txt\n```" in text


def test_squash_makes_one_commit_that_lists_them(start, attempt, finalize):
    repo = start()
    attempt("nine", n="9\n")
    attempt("eight", n="8\n")
    finalize("--squash")
    assert repo.git("log", "--format=%s", "clean~1..clean") == "n: 10 -> 8 (-2, -20.0%) in 2 experiments"
    assert "- nine: 10 -> 9 (-1, -10.0%)\n- eight: 9 -> 8" in repo.git("log", "-1", "--format=%b", "clean")


def test_neighbours_on_the_same_files_can_be_joined(start, attempt, finalize):
    repo = start(verify="cat n.txt | head -1; true")
    for number, files in ((9, {}), (8, {"a": "1\n"}), (7, {"a": "2\n"}), (6, {"b": "1\n"})):
        attempt(f"down to {number}", n=f"{number}\n", **files)
    answer = finalize("--group", "files").json
    assert [commit["iterations"] for commit in answer["commits"]] == [[1, 2, 3], [4]]
    assert repo.git("show", "clean~1:n.txt") == "7"


def test_a_moved_base_is_measured_too(start, attempt, finalize):
    repo = start(verify="echo $(( $(cat n.txt) + $(cat extra 2>/dev/null || echo 0) ))")
    attempt("nine", n="9\n")
    run_branch, base = repo.git("branch", "--show-current"), repo.git("rev-parse", "HEAD~1")
    repo.git("switch", "--quiet", "--create", "target", base)
    repo.write("extra", "100\n")
    repo.commit("their work")
    repo.git("switch", "--quiet", run_branch)
    answer = finalize("--base", "target").json
    assert answer["base"] == repo.git("rev-parse", "target") and answer["base_moved"] is True
    assert (answer["metric"]["measured"], answer["metric"]["base_measured"]) == (109, 110)
    assert repo.git("ls-tree", "--name-only", "clean").split("\n") == [".gitignore", "README.md", "extra", "n.txt"]


def test_a_base_that_touched_the_same_file_is_refused(start, attempt, finalize):
    repo = start()
    attempt("nine", n="9\n")
    assert "n.txt; expected a base that leaves them alone" in refused(finalize("--base", "main"), repo)
    assert "names no commit" in refused(finalize("--base", "nowhere"), repo)


def test_no_branch_from_what_is_no_finished_measured_run(start, attempt, finalize, repo, run_script):
    assert "there is no run here" in refused(finalize(), repo)
    start()
    assert "no experiment was kept" in refused(finalize(), repo)
    attempt("nine", n="9\n")
    repo.write("n.txt", "8\n")
    assert "uncommitted changes in n.txt" in refused(finalize(), repo)
    repo.write("n.txt", "9\n")
    (repo.path / "autoresearch-evidence" / "intent.json").write_text("{}")
    assert "unfinished" in refused(finalize(), repo)


def test_a_reported_run_is_measured_before_it_becomes_a_branch(repo: Repo, run_script, finalize):
    repo.write("n.txt", "10\n")
    start = repo.commit("ten")
    flags = ["--goal", "g", "--metric-name", "n", "--direction", "lower", "--verify", VERIFY, "--baseline-metric", "10"]
    assert run_script("init_run", "--repo", repo.path, *flags, "--baseline-commit", start[:7]).code == 0
    repo.write("n.txt", "11\n")  # the number that is reported is another
    row = ["--status", "keep", "--metric", "9", "--guard", "pass", "--description", "d", "--commit"]
    assert run_script("record_iteration", "--repo", repo.path, *row, repo.commit("nine")[:7]).code == 0
    assert "no gain there" in refused(finalize(), repo)
    repo.write("n.txt", "8\n")
    row = ["--status", "keep", "--metric", "8", "--guard", "pass", "--description", "e", "--commit"]
    assert run_script("record_iteration", "--repo", repo.path, *row, repo.commit("eight")[:7]).code == 0
    answer = finalize().json
    assert (answer["metric"]["base_measured"], answer["metric"]["measured"]) == (10, 8)
    assert len(answer["commits"]) == 2 and "measured by the agent" in Path(answer["pull_request_path"]).read_text()
    repo.write("n.txt", "7\n")
    repo.commit("by hand")
    repo.git("branch", "-D", "clean")
    assert "made by somebody else" in refused(finalize(), repo)


def test_a_commit_by_hand_is_named(start, attempt, finalize):
    repo = start()
    attempt("nine", n="9\n")
    repo.write("README.md", "By hand.\n")
    mine = repo.commit("by hand")
    assert f"commit {mine[:9]} was made by somebody else after the last experiment" in refused(finalize(), repo)


def test_a_taken_or_bad_name_is_refused(start, attempt, repo, run_script):
    start()
    attempt("nine", n="9\n")
    for name, why in (
        ("main", "exists already"),
        ("a..b", "no valid"),
        ("@{-1}", "no valid"),
        ("main/x", "git refused"),
    ):
        ran = run_script("finalize", "--repo", repo.path, "--branch", name)
        assert (ran.code, why in ran.err) == (1, True), ran.err
    assert repo.git("branch", "--list") == "* main"


def test_a_metric_that_hangs_on_untracked_files_is_found_out(start, attempt, finalize, repo):
    repo.write("deps/bonus", "1\n")
    start(verify="cat n.txt $(printf de)ps/bonus 2>/dev/null | awk '{s+=$1} END {print s}'")
    attempt("nine", n="9\n")
    told = refused(finalize(), repo)
    assert "the metric is 9 on the branch, the run retained 10" in told and "deps/ (untracked): --link" in told
    assert finalize("--link", "deps").json["metric"]["measured"] == 10


@pytest.mark.parametrize("path", ["nothing", "n.txt", "../home", "/etc"])
def test_only_untracked_paths_of_the_checkout_can_be_linked(start, attempt, finalize, path):
    repo = start()
    attempt("nine", n="9\n")
    assert f"--link {path} is " in refused(finalize("--link", path), repo)


def test_a_setup_that_fails_makes_no_branch(start, attempt, finalize):
    repo = start()
    attempt("nine", n="9\n")
    assert "--setup failed in the clean checkout (no such thing)" in refused(
        finalize("--setup", "echo no such thing >&2; exit 4"), repo
    )


def test_a_check_that_cannot_run_there_is_said_plainly(start, attempt, finalize, repo):
    repo.write("deps/bonus", "1\n")
    start("--guard", "test -e $(printf de)ps/bonus", verify="cat $(printf de)ps/bonus >/dev/null && cat n.txt")
    attempt("nine", n="9\n")
    answer = finalize().json
    assert (answer["metric"]["status"], answer["metric"]["measured"], answer["guard"]) == ("not run", None, "not run")
    assert "deps/bonus: No such file" in answer["metric"]["reason"] and "--link" in answer["metric"]["reason"]
    text = Path(answer["pull_request_path"]).read_text()
    assert (
        "**Not measured again on this branch**" in text and "Guard on a clean checkout of this branch: **could" in text
    )
    repo.git("branch", "-D", "clean")
    made = finalize("--setup", "mkdir deps && echo 1 > deps/bonus").json
    assert (made["metric"]["measured"], made["guard"]) == (9, "pass")


def test_a_check_that_names_the_checkout_is_not_run(start, attempt, finalize, repo):
    start(verify=f"cat n.txt # see {repo.path}/notes")
    attempt("nine", n="9\n")
    assert "name the run's own checkout" in finalize().json["metric"]["reason"]


def test_the_runs_own_untracked_check_comes_along(start, attempt, finalize, repo):
    repo.write("deps/check.sh", "cat n.txt\n")
    start(verify="sh deps/check.sh")
    attempt("nine", n="9\n")
    assert finalize().json["metric"]["measured"] == 9


@pytest.mark.parametrize("check", ["--guard", "--confirm"])
def test_a_failing_check_makes_no_branch(start, attempt, finalize, tmp_path, check):
    sign = tmp_path / "sign"
    sign.touch()
    repo = start(check, f"echo told; test -e {sign}")
    attempt("nine", n="9\n")
    sign.unlink()
    told = refused(finalize(), repo)
    assert f"{check[2:]} fails on the branch" in told
    shown = (repo.path / "autoresearch-evidence" / "finalize" / "confirm.out").exists()
    assert not shown, "what the held-out check prints stays hidden"


def test_a_noisy_metric_must_beat_its_base_again(start, attempt, finalize, sealed):
    (sealed / "tick").write_text("0")
    noisy = "t=$(cat $HOME/tick); t=$(( (t + 7) % 10 )); echo $t > $HOME/tick; echo $(( $(cat n.txt) * 10 + t ))"
    start("--max-runs", "20", verify=noisy)
    assert attempt("five", n="5\n") == "keep"
    metric = finalize().json["metric"]
    assert metric["status"] == "pass" and metric["runs"] >= 6 and metric["reason"].startswith("better than its base")


def test_companions_get_the_branch_too_or_nobody(make_repo, start, attempt, finalize, tmp_path):
    other = make_repo("other")
    other.write("lib/old", "old\n")
    other.commit("lib")
    repo = start(
        "--companion-repo-scope", f"{other.path}=lib/", verify="cat n.txt; cat ../other/lib/n 2>/dev/null; true"
    )
    other.write("lib/x", "new\n")
    assert attempt("both", n="9\n") == "keep"
    other.git("branch", "clean")
    assert "exists already" in finalize().err
    assert repo.git("branch", "--list", "clean") == ""
    other.git("branch", "-D", "clean")
    answer = finalize().json
    assert other.git("log", "--format=%s", "clean").split("\n")[:2] == ["both", "lib"]
    assert other.git("rev-parse", "clean^{tree}") == other.git("rev-parse", "HEAD^{tree}")
    assert [len(commits) for commits in answer["companions"].values()] == [1]


def test_text_on_demand_and_progress_only_when_it_takes_long(start, attempt, finalize, tmp_path):
    gate = tmp_path / "gate"
    start(verify=f"test ! -e {gate} || sleep 1.5; cat n.txt")
    attempt("nine", n="9\n")
    gate.touch()
    ran = finalize("--format", "text")
    assert ran.out.startswith("branch clean: 1 commit on ")
    assert "… measuring on the clean checkout" in ran.err


def test_a_kill_leaves_no_branch_and_nothing_in_the_way(start, attempt, finalize, repo, tmp_path):
    gate = tmp_path / "gate"
    start(verify=f"test ! -e {gate} || (touch {gate}.on; sleep 60); cat n.txt")
    attempt("nine", n="9\n")
    gate.touch()
    script = Path(__file__).resolve().parents[2] / "scripts" / "autoresearch_finalize.py"
    command = [sys.executable, str(script), "--repo", str(repo.path), "--branch", "clean"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        while not Path(f"{gate}.on").exists():
            assert child.poll() is None
        child.terminate()
        child.communicate()
    assert repo.git("branch", "--list", "clean") == "" and repo.git("worktree", "list").count("\n") == 0
    gate.unlink()
    assert finalize().code == 0


def test_a_run_in_a_worktree_of_its_own(repo: Repo, tmp_path: Path, finalize):
    repo.write("n.txt", "10\n")
    repo.commit("a number")
    tree = Repo(tmp_path / "isolated")
    repo.git("worktree", "add", "--quiet", "-b", "autoresearch/run", str(tree.path))
    data = {"metric": "n", "direction": "lower", "verify": "cat n.txt", "scope": "n.txt", "worktree": str(tree.path)}
    repos = [{"path": str(repo.path), "scope": "n.txt", "role": "primary"}]
    layout = histories.layout(repo.path)
    init.start(layout, init.Plan("loop", config.from_dict({**data, "isolation": "worktree", "repos": repos})))
    tree.write("n.txt", "9\n")
    assert trial.run_trial(layout, trial.Attempt("nine"))["status"] == "keep"
    repo.write("n.txt", "the user's own work\n")
    assert finalize().json["metric"]["measured"] == 9
    assert repo.git("show", "clean:n.txt") == "9"
    assert repo.read("n.txt") == "the user's own work\n"
    assert len(repo.git("worktree", "list").split("\n")) == 2


def test_what_the_user_took_back_is_not_on_the_branch(start, attempt, finalize, repo, run_script):
    repo = start(verify="expr 10 - $(ls src 2>/dev/null | wc -l)")
    assert [attempt("first", a="1\n"), attempt("second", b="2\n")] == ["keep", "keep"]
    ran = run_script("runtime_ctl", "take-back", "--repo", repo.path, 1, "--why", "public API")
    assert ran.json["retained_metric"] == 9, ran.err
    made = finalize()
    assert made.code == 0, made.err
    assert [commit["iterations"] for commit in made.json["commits"]] == [[2]]
    assert made.json["metric"]["measured"] == 9 and made.json["tree_equal"]
    assert repo.git("ls-tree", "-r", "--name-only", "clean", "src") == "src/b.txt"
    ran = run_script("runtime_ctl", "take-back", "--repo", repo.path, 2, "--why", "that too")
    assert ran.json["retained_metric"] == 10, ran.err
    assert "every kept experiment was taken back" in run_script("finalize", "--repo", repo.path, "--branch", "x").err

"""The baseline against the final state, measured in the same minutes, beside what the log claims."""

from __future__ import annotations

import pytest
from autoresearch.finalize import true_total
from autoresearch.finalize.recheck import Needs
from autoresearch.kernel.core.settings import Config

from tests.lab import Lab, refused, tree_of

OURS = ("autoresearch-evidence", "research-results.tsv", "autoresearch-state.json")

NOISY = """\
import pathlib
path = pathlib.Path("{place}/runs")
number = int(path.read_text()) if path.exists() else 0
path.write_text(str(number + 1))
print(float(pathlib.Path("src/value").read_text()) + [0, 0.2, 0.1][number % 3])
"""


def test_an_exact_total_is_measured_once_each_and_told(lab: Lab):
    # What takes a second is printed in seconds, as many programs do.
    own = "v=$(cat src/value)00; [ $v -lt 1000 ] && echo it took $v ms || echo it took $((v / 1000)).0 s\n"
    lab.repo.write("own.sh", own)
    lab.repo.commit("the user's own")
    lab.init("--own-check", "sh own.sh", "--stop-condition", "<= 4")
    lab.trial(8)
    following = lab.trial(4)["next"]
    assert "autoresearch_total.py --repo . ; then: The run is over" in following["do"]
    assert following["total_takes"] == "about 1 s at most, and up to 300 s for `sh own.sh`; --seconds S bounds it"
    before = tree_of(lab.path, *OURS)
    told = lab.call("total", "--format", "json").json
    assert (told["true"]["before"], told["true"]["after"], told["true"]["runs"]) == (10, 4, 2)
    assert (told["claimed"]["after"], told["claimed_to_true"], told["true"]["interval"]) == (4, 1, None)
    assert told["message"].startswith("the log claims 10 → 4 (-60.0%); measured in turns it is 10 → 4 (-60.0%)")
    ways = ("1000 → 400 ms (-60.0%), gain between 600 and 600", "1 → 0.4 s (-60.0%), gain between 0.6 and 0.6")
    assert any(f"`sh own.sh` as you run it: {way}" in told["message"] for way in ways), told["message"]
    assert tree_of(lab.path, *OURS) == before
    lab.sound()
    report = lab.call("report").json
    assert report["true_total"] == told["message"]
    made = lab.call("finalize", "--branch", "clean", "--format", "json").json
    assert made["total"]["message"] == told["message"]  # known, so not measured again
    assert "- The whole run: the log claims 10 → 4" in lab.evidence("pull-request.md").read_text()


def test_a_report_says_that_the_total_is_not_measured_and_measures_it_when_asked(lab: Lab):
    lab.init("--iterations", 1)
    lab.trial(7)
    assert lab.call("report").json["true_total"] == "not measured yet, --total does it"
    assert "it is 10 → 7 (-30.0%)" in lab.call("report", "--total").json["true_total"]


def test_finalize_measures_a_total_that_is_not_known_and_goes_on_where_it_cannot(lab: Lab):
    lab.repo.write(".gitignore", "own.txt\n")
    lab.repo.commit("no products")
    lab.init("--own-check", "cat own.txt")
    lab.trial(7)
    made = lab.call("finalize", "--branch", "one", "--format", "json").json
    said = "it is 10 → 7 (-30.0%); `cat own.txt` as you run it: no number (the "
    assert said in made["total"]["message"]  # the check's own total stands
    lab.repo.write("own.txt", "5\n")
    made = lab.call("finalize", "--branch", "two", "--link", "own.txt", "--format", "json").json
    assert made["total"]["own"]["runs"] == 10


def test_a_start_that_a_clean_checkout_does_not_give_is_no_total(lab: Lab):
    """As in a workspace whose packages have dependencies of their own, which git ignores."""
    lab.repo.write(".gitignore", "deps*/\n")
    lab.repo.write("more.py", "import glob\nprint(int(open('src/value').read()) + len(glob.glob('dep*/*')))\n")
    lab.repo.commit("dependencies are ignored")
    for name in "abc":
        lab.repo.write(f"deps/{name}", name)
    lab.init(verify="python3 more.py")
    lab.trial(7)
    refused(lab.call("total"), "gives 10 in a clean checkout and 13 in the run's", "--link PATH")
    told = lab.call("total", "--link", "deps", "--format", "json").json
    assert (told["true"]["before"], told["true"]["after"]) == (13, 10)


def test_measuring_again_moves_no_total(lab: Lab):
    check = f"echo $(( $(cat src/value) * $(cat {lab.path.parent}/speed 2>/dev/null || echo 1) ))"
    lab.init("--iterations", 2, verify=check)
    lab.trial(5)
    (lab.path.parent / "speed").write_text("3\n")
    assert lab.recorded("drift", "--description", "a slower machine")["retained_metric"] == 15
    answer = lab.trial(4)
    assert (answer["next"]["action"], answer["next"]["counts"]["retained_on_the_baselines_scale"]) == ("stop", 4)
    assert lab.call("report").json["headline"].startswith("cost 10 → 4 (−60")
    told = lab.call("total", "--format", "json").json
    assert (told["claimed"]["before"], told["claimed"]["after"], told["claimed_to_true"]) == (10, 4, 1)


def test_a_noisy_total_has_an_interval_within_max_runs(lab: Lab):
    lab.repo.write("check.py", NOISY.format(place=lab.path.parent))
    lab.repo.commit("a noisy check")
    lab.init("--max-runs", 16, verify="python3 check.py", guard="")
    assert lab.trial(5)["status"] == "keep"
    told = lab.call("total", "--format", "json").json
    low, high = told["true"]["interval"]
    assert told["true"]["runs"] == 16
    assert low <= 5 <= high and high - low < 1
    assert 0.95 < told["claimed_to_true"] < 1.05
    once = lab.call("total", "--seconds", "0.001", "--format", "json").json["true"]
    assert (once["runs"], once["interval"]) == (2, None), "no pair is begun once the time is up"


@pytest.mark.parametrize(
    ("each", "asked", "takes"), [(1, 0, 40), (10, 0, 300), (60, 0, 600), (60, 200, 200), (60, 1, 120), (400, 0, 3200)]
)
def test_how_long_a_total_takes_is_known_before(each: int, asked: int, takes: int):
    noisy = Config(verify="x", noise={"kind": "noisy", "seconds": each})
    assert true_total.seconds(noisy, Needs(seconds=asked)) == takes


def test_nothing_kept_is_nothing_to_measure(lab: Lab):
    lab.init()
    refused(lab.call("total"), "nothing was kept by a measured run")


def test_a_check_that_names_its_checkout_is_warned_of_before_the_start_and_asks_for_no_total(lab: Lab):
    flags = [
        "--scope",
        "src/",
        "--metric-name",
        "cost",
        "--direction",
        "lower",
        "--verify",
        f"cat {lab.path}/src/value",
    ]
    rehearsed = lab.call("init_run", "--dry-run", *flags).json
    assert any("names this checkout by its path" in text for text in rehearsed["warnings"])
    lab.init("--stop-condition", "<= 4", verify=flags[-1])
    closing = lab.trial(4)["next"]["do"]
    assert "autoresearch_total.py" not in closing
    refused(lab.call("total"), "paths relative to it")

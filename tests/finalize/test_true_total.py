"""The baseline against the final state, measured in the same minutes, beside what the log claims."""

from __future__ import annotations

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
    lab.repo.write("own.sh", "echo it took $(cat src/value)00 ms\n")
    lab.repo.commit("the user's own")
    lab.init("--own-check", "sh own.sh", "--stop-condition", "<= 4")
    lab.trial(8)
    closing = lab.trial(4)["next"]["do"]
    assert "autoresearch_total.py --repo . ; then: The run is over" in closing
    before = tree_of(lab.path, *OURS)
    told = lab.call("total", "--format", "json").json
    assert (told["true"]["before"], told["true"]["after"], told["true"]["runs"]) == (10, 4, 2)
    assert (told["claimed"]["after"], told["claimed_to_true"], told["true"]["interval"]) == (4, 1, None)
    assert told["message"].startswith("the log claims 10 → 4 (-60.0%); measured in turns it is 10 → 4 (-60.0%)")
    assert "`sh own.sh` as you run it: 1000 → 400 (-60.0%), gain between 600 and 600" in told["message"]
    assert tree_of(lab.path, *OURS) == before
    lab.sound()
    report = lab.call("report").json
    assert report["true_total"] == told["message"]


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


def test_nothing_kept_is_nothing_to_measure(lab: Lab):
    lab.init()
    refused(lab.call("total"), "nothing was kept by a measured run")

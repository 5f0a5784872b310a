"""One shell command holds one trial: the next edit follows from the answer."""

from __future__ import annotations

import os
import subprocess

import pytest
from autoresearch.guidance import one_trial

from tests.conftest import SCRIPTS
from tests.lab import Lab

TRIAL = "python3 /skill/scripts/autoresearch_run_trial.py --repo . --description x"


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (f"bash -lc {TRIAL} && sed -i s/a/b/ f && {TRIAL}", True),
        (f"/bin/sh -c cd x; {TRIAL}\n{TRIAL}", True),
        (f"zsh -lc {TRIAL}; {TRIAL}", True),
        (f"bash -lc {TRIAL}", False),
        (f"bash -c python3 s/autoresearch_run_trial.py --help; {TRIAL}", False),
        (f"bash -lc echo 9 > value; {TRIAL} --queue || {TRIAL.partition(' --desc')[0]} --waiting", False),
        ("bash", False),
        (f"python3 driver.py {TRIAL} {TRIAL}", False),
        ("", False),
    ],
)
def test_two_trials_in_the_command_of_a_shell(line: str, refused: bool):
    assert bool(one_trial.said(line)) is refused


def test_the_second_trial_of_a_command_is_never_made(lab: Lab):
    lab.init()
    trial = f"python3 {SCRIPTS}/autoresearch_run_trial.py --repo {lab.path} --description lower"
    line = f"echo 9 > src/value; {trial}; echo 8 > src/value; {trial}; true"
    done = subprocess.run(["bash", "-c", line], cwd=lab.path, env=os.environ, capture_output=True, text=True)
    assert done.stderr.count("one command holds several trials, expected one") == 2, done.stderr
    assert [row.status for row in lab.rows()] == ["baseline"]

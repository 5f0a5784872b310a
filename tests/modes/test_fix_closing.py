"""What the last answer of a fix run says to do."""

from __future__ import annotations

from tests.lab import Lab


def test_the_end_of_a_fix_names_the_command_for_its_folder(lab: Lab):
    lab.init("--mode", "fix", "--iterations", 1)
    folder = lab.run_script("mode_log", "open", "--mode", "fix", "--slug", "one", cwd=lab.path).json["dir"]
    closing = lab.trial(9)["next"]["do"].partition("First run this: ")[2].partition(" ; then: ")[0]
    assert closing.startswith("python3 ") and f" summary --dir {folder} ; " in closing

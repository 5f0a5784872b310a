"""Runs unittest in the project's interpreter and writes what became of each test to a file. Started as a program.

argv[1] is JSON: `names` (modules or folders), `seed` (0: the order as found), `answer` (the file).
Rows: name, outcome, path, line, text.
"""

from __future__ import annotations

import json
import os
import random
import sys
import traceback
import unittest


class Rows(unittest.TestResult):
    """Collects one row a test; a test with failing subtests is one failure."""

    def __init__(self):
        super().__init__()
        self.rows = {}

    def _note(self, test, outcome, error=None):
        name, place = test.id(), ("", 0, "")
        if error is not None:
            frames = [f for f in traceback.extract_tb(error[2]) if os.sep + "unittest" + os.sep not in f.filename]
            last = frames[-1] if frames else None
            lines = str(error[1]).strip().splitlines()
            text = error[0].__name__ + ": " + (lines[-1] if "_FailedTest" in name and lines else "".join(lines[:1]))
            place = (last.filename, last.lineno, text) if last else ("", 0, text)
        if self.rows.get(name, ("", "passed"))[1] == "passed":
            self.rows[name] = (name, outcome, *place)

    def addSuccess(self, test):
        """A test passed."""
        self._note(test, "passed")

    def addFailure(self, test, err):
        """An assertion failed."""
        self._note(test, "failed", err)

    def addError(self, test, err):
        """A test, or the load of its module, raised."""
        broken = type(test).__name__ in ("_FailedTest", "_ErrorHolder")
        self._note(test, "broken" if broken else "failed", err)

    def addSkip(self, test, reason):
        """A test was skipped."""
        self._note(test, "skipped")

    def addExpectedFailure(self, test, err):
        """A failure that was announced."""
        self._note(test, "passed")

    def addUnexpectedSuccess(self, test):
        """A pass where a failure was announced."""
        self._note(test, "failed", None)

    def addSubTest(self, test, subtest, err):
        """A part of a test ended."""
        if err is not None:
            self.rows.pop(test.id(), None)
            self._note(test, "failed", err)


def flat(suite):
    """Every test of a suite, in order."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flat(item)
        else:
            yield item


def load(names):
    """The tests of modules and folders; of the current folder when none is named."""
    loader = unittest.TestLoader()
    suites = [loader.discover(n) if os.path.isdir(n) else loader.loadTestsFromName(n) for n in names or ["."]]
    return unittest.TestSuite(suites)


def main(ask):
    """Run and write the rows."""
    sys.path.insert(0, os.getcwd())
    suite = load(ask["names"])
    if ask["seed"]:
        tests = list(flat(suite))
        random.Random(ask["seed"]).shuffle(tests)
        suite = unittest.TestSuite(tests)
    result = Rows()
    suite.run(result)
    with open(ask["answer"], "w") as stream:
        json.dump(list(result.rows.values()), stream)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

"""Results of tests: how many failed, ran and were skipped. A suite that did not run is no number."""

from __future__ import annotations

from decimal import Decimal

from ..kernel.core.errors import Refusal
from .contents import Element, Number, count, decimal, document, elements, get


def junit(text: str) -> list[Number]:
    """JUnit XML (pytest, jest-junit, go-junit-report, Surefire): `failed`, `ran`, `skipped`, `seconds`.

    The cases are counted and compared with what the suites say. An error (a test that could not run) is refused.
    """
    found = elements(text, ("testsuites", "testsuite"))
    cases = sum(1 for item in found if item.tag == "testcase")
    if not cases:
        raise Refusal("no test ran")
    if any(item.tag == "error" for item in found):
        raise Refusal("a test could not run (<error>)")
    failed = _cases_with(found, "failure")
    skipped = _cases_with(found, "skipped")
    for name, counted in (("tests", cases), ("failures", failed)):
        said = [count(item.given[name], name) for item in found if item.tag == "testsuite" and name in item.given]
        if said and sum(said) != counted and max(said) != counted:
            raise Refusal(f"its suites say {name}={sum(said)} but it holds {counted}")
    if cases == skipped:
        raise Refusal("every test was skipped")
    times = [item.given["time"] for item in found if item.tag == "testcase" and "time" in item.given]
    seconds = sum((decimal(time, "time") for time in times), Decimal(0))
    return [*_counts(failed, cases - skipped, skipped), *([Number("seconds", seconds, "s")] if times else [])]


def _cases_with(found: list[Element], tag: str) -> int:
    cases, current = set(), -1
    for at, item in enumerate(found):
        if item.tag == "testcase":
            current = at
        elif item.tag == tag:
            cases.add(current)
    return len(cases)


def _counts(failed: int, ran: int, skipped: int) -> list[Number]:
    return [Number(name, Decimal(value)) for name, value in (("failed", failed), ("ran", ran), ("skipped", skipped))]


def jest(text: str) -> list[Number]:
    """`jest --json` and `vitest --reporter=json`: `failed`, `ran`, `skipped`; a suite that did not run is refused."""
    data = document(text)
    names = ("numFailedTests", "numPassedTests", "numTotalTests", "numPendingTests")
    failed, passed, total, pending = (count(get(data, name), name) for name in names)
    skipped = pending + count(data.get("numTodoTests", 0), "numTodoTests")
    broken = [s for s in get(data, "testResults", list) if get(s, "status", str) == "failed" and not _failures(s)]
    if count(data.get("numRuntimeErrorTestSuites", 0), "suites") or broken or data.get("wasInterrupted"):
        raise Refusal("a suite failed to run")
    if failed + passed == 0:
        raise Refusal("no test ran")
    if failed + passed + skipped != total:
        raise Refusal(f"its tests do not add up ({failed} + {passed} + {skipped} of {total})")
    return _counts(failed, failed + passed, skipped)


def _failures(suite: object) -> bool:
    return any(get(case, "status", str) == "failed" for case in get(suite, "assertionResults", list))

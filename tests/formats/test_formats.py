"""Numbers read from real outputs of tools, and hostile ones that must be refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from autoresearch.formats import format_reader
from autoresearch.reading import printed

OUTPUTS = Path(__file__).with_name("outputs")
PAGE = Path(__file__).parents[2] / "docs" / "measurement.md"
JSON, XML = "not one whole JSON document", "not one whole XML document"
# file, format, key, the number or a part of the refusal, the tool
CASES = [
    row.split("|")
    for row in f"""\
coverage-branch.json|coverage-json||1|coverage.py 7.17.5
coverage-branch.json|coverage-json|missed_branches|1|coverage.py 7.17.5
coverage-branch.lcov|lcov||1|coverage.py 7.17.5
coverage-branch.xml|coverage-xml||1|coverage.py 7.17.5
coverage-none.txt|coverage-json||{JSON}|coverage.py 7.17.5
coverage.json|coverage-json||1|coverage.py 7.17.5
coverage.json|coverage-json|percent|75|coverage.py 7.17.5
coverage.lcov|lcov||1|coverage.py 7.17.5
coverage.txt|coverage-json||{JSON}|coverage.py 7.17.5
coverage.xml|coverage-xml||1|coverage.py 7.17.5
criterion-again.txt|criterion|sizes/a rather long name of a benchmark|58.345|Criterion.rs 0.3.6
criterion-broken.txt|criterion|total 1000|'sizes/broken' has no result|Criterion.rs 0.3.6
criterion-estimates.json|criterion||no usable 'times'|Criterion.rs 0.3.6
criterion-none.txt|criterion||it has no numbers|Criterion.rs 0.3.6
criterion-sample.json|criterion||163.86930190021339294787115130|Criterion.rs 0.3.6
criterion.txt|criterion||name one: --metric-key|Criterion.rs 0.3.6
criterion.txt|criterion|total 1000|354.76|Criterion.rs 0.3.6
eslint-broken.json|eslint||could not be parsed|ESLint 10.15.0
eslint-clean.json|eslint||0|ESLint 10.15.0
eslint.json|eslint||2|ESLint 10.15.0
eslint.json|eslint|errors|1|ESLint 10.15.0
eslint.txt|eslint||{JSON}|ESLint 10.15.0
gcc.lcov|lcov||1|lcov 1.16 with gcc 12
go-broken.txt|go||it says '# g'|Go 1.19.8
go-count3.txt|go||900.9|Go 1.19.8
go-mem.txt|go|BenchmarkJoin|39.385|Go 1.19.8
go-mem.txt|go|BenchmarkJoin B/op|3|Go 1.19.8
go-two.txt|go||name one: --metric-key|Go 1.19.8
go-two.txt|go|BenchmarkFib12|41884|Go 1.19.8
google-error.json|google-benchmark||'BM_bad' failed|Google Benchmark 1.7.1
google-none.json|google-benchmark||{JSON}|Google Benchmark 1.7.1
google-repeated.json|google-benchmark|BM_sum/2|23.6061043655100100|Google Benchmark 1.7.1
google.json|google-benchmark||202.25|Google Benchmark 1.7.1
google.txt|google-benchmark||{JSON}|Google Benchmark 1.7.1
hyperfine-failed.json|hyperfine||failed with exit code 1|hyperfine 1.15.0
hyperfine-two.json|hyperfine||name one: --metric-key|hyperfine 1.15.0
hyperfine-two.json|hyperfine|true|0.012608732000000001|hyperfine 1.15.0
hyperfine.json|hyperfine||0.007818547|hyperfine 1.15.0
hyperfine.txt|hyperfine||{JSON}|hyperfine 1.15.0
jest-broken.json|jest||a suite failed to run|Jest 30.5.2
jest-none.json|jest||no test ran|Jest 30.5.2
jest.json|jest||1|Jest 30.5.2
jest.txt|jest||{JSON}|Jest 30.5.2
junit-error.xml|junit||a test could not run|pytest 9.2.0
junit-none.xml|junit||no test ran|pytest 9.2.0
junit-ok.xml|junit||0|pytest 9.2.0
junit.xml|junit||1|pytest 9.2.0
libtest.txt|libtest||2736.01|Rust 1.95.0
lighthouse-refused.json|lighthouse|performance|the page was not measured|Lighthouse 12.8.2
lighthouse-seo.json|lighthouse||90|Lighthouse 12.8.2
lighthouse.json|lighthouse||name one: --metric-key|Lighthouse 12.8.2
lighthouse.json|lighthouse|largest-contentful-paint|645.7344|Lighthouse 12.8.2
lighthouse.json|lighthouse|performance|100|Lighthouse 12.8.2
mocha.xml|junit||its suites say failures=0|mocha 12.0.3
node-junit.xml|junit||1|Node.js 20.20.2
node-tap.txt|junit||{XML}|Node.js 20.20.2
node.lcov|lcov||2|Node.js 20.20.2
pytest-benchmark.json|pytest-benchmark||0.000049653001042315736|pytest-benchmark 5.3.1
pytest-ok.txt|junit||{XML}|pytest 9.2.0
pytest-plain.txt|junit||{XML}|pytest 9.2.0
ruff-all.json|ruff||7|ruff 0.17.6
ruff-broken.json|ruff||could not be parsed|ruff 0.17.6
ruff-broken.sarif|sarif||could not be parsed|ruff 0.17.6
ruff-clean.json|ruff||0|ruff 0.17.6
ruff.json|ruff||4|ruff 0.17.6
ruff.sarif|sarif||4|ruff 0.17.6
ruff.txt|ruff||{JSON}|ruff 0.17.6
size-limit-none.json|size-limit||weighs nothing|size-limit 12.1.0
size-limit.json|size-limit||14|size-limit 12.1.0
size-limit.txt|size-limit||{JSON}|size-limit 12.1.0
vitest-broken.json|vitest||a suite failed to run|Vitest 4.1.12
vitest-junit.xml|junit||1|Vitest 4.1.12
vitest-none.json|vitest||no test ran|Vitest 4.1.12
vitest.json|vitest||1|Vitest 4.1.12
vitest.txt|vitest||{JSON}|Vitest 4.1.12""".splitlines()
]


def taken(format_: str, text: str, key: str = "", beside: str = "") -> printed.Reading:
    """What is read of an output."""
    return format_reader.read(format_, text, printed.Source(key=key), beside)


@pytest.mark.parametrize(("file", "format_", "key", "expected", "tool"), CASES)
def test_a_real_output_gives_its_number_or_a_refusal(file: str, format_: str, key: str, expected: str, tool: str):
    found = taken(format_, (OUTPUTS / file).read_text(), key)
    if expected.replace(".", "").isdigit():
        assert (found.value, found.problem) == (Decimal(expected), "")
    else:
        assert found.value is None and expected in found.problem
    assert f"| {tool} | {format_} | `{file}` | {key} | {expected} |" in PAGE.read_text()


def test_every_output_is_in_the_table():
    assert {path.name for path in OUTPUTS.iterdir()} == {case[0] for case in CASES}


@pytest.mark.parametrize("format_", sorted({case[1] for case in CASES}))
def test_hostile_text_is_refused(format_: str):
    entity = '<!DOCTYPE a [<!ENTITY b "c">]><testsuites>&b;</testsuites>'
    size = 10_000_000 if format_ in ("go", "junit", "ruff") else 100_000
    for text in ("", "NaN", "[" * size, entity, '{"a": NaN}', '[{"size": NaN, "name": "a"}]'):
        assert taken(format_, text).value is None
    for file, own, key, _, _ in CASES:
        text = (OUTPUTS / file).read_text().rstrip()
        if own == format_ and not file.startswith("criterion"):  # there a result above the cut is whole
            assert taken(format_, text[: len(text) * 2 // 3], key).value is None


def test_a_linter_that_looked_at_no_file_gives_no_number():
    told = "warning: No Python files found under the given path(s)"
    assert "looked at no file" in taken("ruff", "[]", beside=told).problem


def test_a_run_reads_a_file_of_the_format_and_refuses_a_stale_one(lab):
    check = 'test -e src/stale || sed "s/@/$(cat src/value)/" template.xml > out.xml'
    lab.repo.write("template.xml", '<testsuite tests="1"><testcase time="@"/></testsuite>')
    lab.repo.write(".gitignore", "out.xml\n")
    lab.repo.commit("a check")
    lab.init("--metric-from", "junit:out.xml", "--metric-key", "seconds", verify=check)
    assert lab.trial(5)["status"] == "keep"
    lab.repo.write("src/stale", "")
    assert lab.trial(4)["status"] == "crash"
    assert "written before this run" in lab.rows()[-1].description

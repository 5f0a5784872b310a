"""What real tools print for people, read without a format: by default or by a pattern. Values are read off by eye."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from autoresearch.reading import printed
from autoresearch.reading.printed import Source

OUTPUTS = Path(__file__).with_name("outputs")
PAGE = Path(__file__).parents[2] / "docs" / "measurement.md"
ROWS = r"""
bash-time.txt ~ ~ 3 numbers in the output ~ GNU bash 5.2
bash-time.txt ~ ^real\s+(\S+) ~ '0m0.011s' is not a finite decimal ~ GNU bash 5.2
posix-time.txt ~ ^real (\S+) ~ 0.01 ~ GNU bash 5.2
time-v.txt ~ Maximum resident set size \(kbytes\): (\S+) ~ 988 ~ GNU time (Debian 1.9)
time-v.txt ~ Elapsed.*: (\S+)$ ~ part of a longer expression ~ GNU time (Debian 1.9)
callgrind.txt ~ Collected : (\S+) ~ 129305 ~ Valgrind 3.19.0
callgrind.txt ~ I +refs: +(\S+) ~ can be 129305 or 129.305 ~ Valgrind 3.19.0
perf.txt ~ (\S+) +instructions:u ~ 'supported>' is not a finite decimal ~ perf 6.1
perf.txt ~ (\S+) seconds time elapsed ~ 0.007937135 seconds ~ perf 6.1
coverage.txt ~ ~ 10 numbers in the output ~ coverage.py 7.17.5
coverage.txt ~ ^TOTAL.* (\S+)$ ~ 67 % ~ coverage.py 7.17.5
dd.txt ~ ^(\S+) bytes ~ 104857600 bytes ~ GNU dd 9.1
dd.txt ~ copied, (\S+) ~ 0.00148628 s ~ GNU dd 9.1
du.txt ~ ~ 2.5 M ~ GNU du 9.1
wc.txt ~ ~ 6 ~ GNU wc 9.1
wc-two.txt ~ ~ 9 numbers in the output ~ GNU wc 9.1
wc-two.txt ~ ^ *(\S+) .*total$ ~ 10 ~ GNU wc 9.1
gzip.txt ~ ~ -100.0 % ~ gzip 1.12
gzip-size.txt ~ ~ 81 B ~ gzip-size-cli 5.1.0
gzip-size-raw.txt ~ ~ 81 ~ gzip-size-cli 5.1.0
flake8.txt ~ ~ 7 numbers in the output ~ flake8 7.5.0
flake8.txt ~ ^(\d+)$ ~ 2 ~ flake8 7.5.0
hyperfine.txt ~ ~ 9 numbers in the output ~ hyperfine 1.15.0
hyperfine.txt ~ mean ± σ\): +(\S+) ~ 10.5 ms ~ hyperfine 1.15.0
hyperfine-colour.txt ~ mean ± σ\): +(\S+) ~ 11.4 ms ~ hyperfine 1.15.0
mocha.txt ~ ^ +(\d+) failing ~ 1 ~ mocha 12.0.3
mypy.txt ~ Found (\d+) error ~ 1 ~ mypy 2.4.1
mypy-ok.txt ~ Found (\d+) error ~ no matches of the pattern ~ mypy 2.4.1
mypy-ok.txt ~ ~ says 'no issues' in words ~ mypy 2.4.1
openssl.txt ~ ^sha256 +(\S+) ~ 1752184.21 k ~ OpenSSL 3.0.19
pylint.txt ~ ~ 6 numbers in the output ~ pylint 4.1.4
pylint.txt ~ rated at (-?[0-9.]+) ~ 6.00 ~ pylint 4.1.4
pyperf.txt ~ ~ 2 numbers in the output ~ pyperf 2.11.0
pyperf.txt ~ dev: (\S+) ~ 1.39 us ~ pyperf 2.11.0
pytest.txt ~ ^(\d+) failed ~ 1 ~ pytest 9.2.0
radon.txt ~ complexity: A \((\S+)\) ~ 2.0 ~ radon 6.0.1
shellcheck.txt ~ ~ 2 numbers in the output ~ ShellCheck 0.9.0
timeit.txt ~ : (\S+) nsec ~ 463 nsec ~ Python 3.11.7 timeit
timeit.txt ~ ~ 3 numbers in the output ~ Python 3.11.7 timeit
unittest.txt ~ ^Ran (\d+) test ~ 0 ~ Python 3.11.7 unittest
"""
CASES = [
    tuple(cell.strip() for cell in row.split(" ~ ")) for row in ROWS.replace(" ~ ~ ", " ~  ~ ").strip().split("\n")
]


@pytest.mark.parametrize(("file", "pattern", "expected", "tool"), CASES)
def test_a_real_output_gives_its_number_or_a_refusal(file: str, pattern: str, expected: str, tool: str):
    found = printed.extract((OUTPUTS / file).read_text("utf-8"), Source(pattern=pattern))
    number, _, unit = expected.partition(" ")
    if number.replace(".", "").lstrip("-").isdigit() and unit in (
        "",
        "%",
        "s",
        "ms",
        "us",
        "nsec",
        "B",
        "k",
        "M",
        "seconds",
        "bytes",
    ):
        assert (found.value, found.form.unit, found.problem) == (Decimal(number), unit, "")
    else:
        assert found.value is None and expected in found.problem
    shown = pattern.replace("|", "\\|")
    row = f"| {tool} | `{file}` | {f'`{shown}`' if shown else ''} | {expected} |"
    assert row in PAGE.read_text("utf-8")


def test_every_output_is_in_the_table():
    assert {path.name for path in OUTPUTS.iterdir()} == {case[0] for case in CASES}

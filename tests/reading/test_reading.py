"""A number is read whole, with its unit, and in every later run as it was at the baseline, or not at all."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from autoresearch.reading import form, printed, quantity, screen
from autoresearch.reading.printed import Source
from hypothesis import given
from hypothesis import strategies as st

ANY = Source("m")
NARROW = "\u202f"


def value_of(output: str | bytes, source: Source = ANY) -> str:
    """The number that is read, or ""."""
    text = screen.decode(output) if isinstance(output, bytes) else output
    found = printed.extract(text, source).value
    return "" if found is None else f"{found:f}"


def then(first: str, second: str, source: Source = ANY) -> tuple[str, str]:
    """What is read of `second` after a baseline that printed `first`: the number and the problem."""
    base = printed.extract(first, source)
    assert base.value is not None, base.problem
    known = form.from_dict(base.form.to_dict())
    found = printed.extract(second, replace_form(source, known))
    return ("" if found.value is None else f"{found.value:f}"), found.problem


def replace_form(source: Source, known: form.Form) -> Source:
    """The same source after its baseline."""
    return Source(source.name, source.key, source.pattern, known, source.take)


WHOLE = [
    ("METRIC bytes=54\u202f795\n", "54795"),
    ("METRIC bytes=54\u00a0795,5\n", "54795.5"),
    ("METRIC bytes=1'234'567.25\n", "1234567.25"),
    ("METRIC bytes=1,234,567\n", "1234567"),
    ("METRIC bytes=18,794.12\n", "18794.12"),
    ("METRIC bytes=1.234,56\n", "1234.56"),
    ("METRIC t=3,14\n", "3.14"),
    ("METRIC t=0,731 s\n", "0.731"),
    ("METRIC gain=\u22120.5 dB\n", "-0.5"),
    ("METRIC ms=12 ms\n", "12"),
    ("METRIC ms=12ms\n", "12"),
    ("METRIC share=12 %\n", "12"),
    ("\ufeffMETRIC m=12\n", "12"),
    ("\x1b[32mMETRIC m=\x1b[1m12\x1b[0m\n", "12"),
    ("METRIC m=1\x1b[1m2\x1b[0m\n", "12"),
    (" 50%|## |\r100%|####|\nMETRIC m=12\r\n", "12"),
    ("step 1\rstep 3\rMETRIC m=12\n", "12"),
    (" 10 %\r 50 %\r47\n", "47"),
    ("1\x082\x08" + "47\n", "47"),
    ("\x1b]8;;http://x/1\x1b\\METRIC m=12\x1b]8;;\x1b\\\n", "12"),
    ("12.3kB", "12.3"),
    ("total 47% done", "47"),
    ("cost: $12.50\n", "12.50"),
    ('{\n  "mean": 12,\n  "dev": 0.1\n}\n', ""),
    ('{\n  "m": 12,\n  "dev": 0.1\n}\n', "12"),
    ('log line 1\n{\n  "m": 12\n}\nDone in 3 s\n', "12"),
    ('{"m": 1}\n{"m": 2}\n{"m": 3}\n', "3"),
]
REFUSED = [
    ("METRIC bytes=54,795\n", "54795 or 54.795"),
    ("METRIC bytes=54 795\n", "more than a unit"),
    ("METRIC ms=12 ms (3 runs)\n", "more than a unit"),
    ("METRIC m=12/15\n", "longer expression"),
    ("METRIC m=1:30\n", "longer expression"),
    ("METRIC m=0x1f\n", "not a finite decimal"),
    ("METRIC m=12k3\n", "not a finite decimal"),
    ("METRIC m=\u0661\u0662\n", "not a finite decimal"),
    ("METRIC m=1.2.3\n", "not a finite decimal"),
    ("METRIC m=1,2,3\n", "not a finite decimal"),
    ("METRIC a=1 METRIC m=2\n", "more than a unit"),
    ("100%|####|METRIC m=12\n", "at the begin of its own line"),
    ("50% METRIC m=12\nMETRIC m=13\n", "a second METRIC m"),
    ("METRIC: m 12\n", "METRIC name=value"),
    ("1\x1b[5C2\n", "2 numbers"),
    ("1\u200b2\n", "2 numbers"),
    ("test tests::sum ... bench:      18,794.12 ns/iter (+/- 440.25)\n", "2 numbers"),
    ("Total size: 12.3kB in 4 files\n", "2 numbers"),
    ("Ran 5 tests in 0.731s\n", "2 numbers"),
    ("Ran in 1m30s\n", "not a finite decimal"),
    ("it took 1 min 30 s\n", "2 numbers"),
    ("Python 3.11.4\n", "not a finite decimal"),
    ("2026-11-30 done\n", "numbers"),
    ("range 3-5\n", "2 numbers"),
    ("accuracy \u00b10.5\n", "not a finite decimal"),
    ("2nd try\n", "not a finite decimal"),
    ('[{"filePath":"/x/a.js","errorCount":1,"source":"add(1, 2, 3);"}]\n', "--metric-key"),
    ('{"totals": {"m": 12}}\n', "totals.m"),
    ('{"m": 12, "m": 13}\n', "stands twice"),
    ('{"m": 12', "middle of a JSON document"),
    ('{\n  "m": 12,\n', "middle of a JSON document"),
    ('{\n  "note": "m is 12', "middle of a JSON document"),
    ('[\n{\n"m": 1\n},\n{\n"m": 2\n}\n', "middle of a JSON document"),
    ("12\n[… 900 bytes cut …]\nend\n", "cut in its middle"),
    ("a 1\nMETRIC m=1\n[... 900 bytes cut ...]\n2 b\n", "no value"),
]


@pytest.mark.parametrize(("output", "value"), WHOLE)
def test_a_number_is_read_whole(output: str, value: str):
    assert value_of(output) == value


@pytest.mark.parametrize(("output", "why"), REFUSED)
def test_what_can_mean_two_things_is_refused_with_its_cause(output: str, why: str):
    found = printed.extract(output, ANY)
    assert found.value is None
    assert why in found.problem or why == "no value"
    assert len(found.problem) < 400


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_are_told_by_their_marks_and_zeros(encoding: str):
    assert value_of("METRIC m=12\r\n".encode(encoding)) == "12"


PIECES = [
    ("time: 15,200 ms", r": ([0-9]+)"),
    ("time: 15,200 ms", r"([0-9]+) ms"),
    ("time: 3,14 s", r": \D?([0-9.]+)"),
    ("loss: 1.5e-05", r": \D?([0-9.]+)"),
    ("loss: 1.5e-05", r"-(\d+)"),
    ("loss: 1.5e-05", r"e(-\d+)"),
    ("gain: -0.5 dB", r": \D?([0-9.]+)"),
    ("gain: \u22120.5 dB", r"([0-9.]+) dB"),
    ("gain: -0.5 dB", r"\.(\d)"),
    ("size 1234", r"(\d{3})$"),
    ("size 1234", r"size (\d\d)"),
    ("size 1\u202f234", r"(\d+)$"),
    ("size 1'234", r"(\d+)$"),
    ("time: 15 200 ms", r"(\d+) ms"),
    ("time: 15 200 ms", r"time: (\d+)"),
    ("real 0m1.234s", r"m([\d.]+)s"),
    ("took 1 min 3 s", r"(\d+) s"),
    ("at 12:30 h", r"(\d+) h"),
    ("hex 0x1f", r"(\d)"),
]


@pytest.mark.parametrize(("output", "pattern"), PIECES)
def test_a_pattern_never_takes_a_piece_of_a_number(output: str, pattern: str):
    for take in ("only", "first", "last"):
        found = printed.extract(output, Source("m", "", pattern, take=take))
        assert found.value is None


MATCHED = [
    ("10 tests, 3 failed\n", r"(\d+) failed", "only", "3"),
    ("Found 47.\n", r"Found (\d+)", "only", "47"),
    ("12/15 passed\n", r"(\d+)/\d+ passed", "only", "12"),
    ("a.py:12:5: E1\n", r":(\d+):", "only", "12"),
    ("  12 345 6789 f\n", r"^ *\d+ (\d+) ", "only", "345"),
    ("loss=3\nloss=2\nloss=1\n", r"loss=(\S+)", "last", "1"),
    ("loss=3\nloss=2\nloss=1\n", r"loss=(\S+)", "first", "3"),
    ("loss 3\rloss 2\rloss 1\n", r"loss (\S+)", "only", "1"),
    ("p99=4 ms\n", r"p99=(\S+ ms)", "only", "4"),
    ("val: 12\r\nend\r\n", r"^val: ([0-9]+)$", "only", "12"),
    ("loss=1\n[… 5 bytes cut …]\n\nloss=2\n", r"loss=(\S+)", "last", "2"),
]


@pytest.mark.parametrize(("output", "pattern", "take", "value"), MATCHED)
def test_a_pattern_takes_the_match_that_is_asked_for(output: str, pattern: str, take: str, value: str):
    assert value_of(output, Source("m", "", pattern, take=take)) == value


KEYS = [
    ('{"a": {"b": [{"c": 7}, {"c": 8}]}}', "a.b[0].c", "7"),
    ('{"a": {"b": [{"c": 7}, {"c": 8}]}}', "a.b[-1].c", "8"),
    ('[{"errorCount": 1}, {"errorCount": 2}]', "[1].errorCount", "2"),
    ('{"p99.9": 5}', "p99.9", "5"),
    ('{"http": {"p99.9": {"ms": 5}}}', "http.p99.9.ms", "5"),
    ('{"a": {"b c": 5}}', 'a["b c"]', "5"),
    ('{"a.b": 1, "a": {"b": 2}}', "a.b", ""),
    ('{"a": {"b": 2}}', "a.c", ""),
    ('{"a": [1]}', "a[3]", ""),
    ('{"a": true}', "a", ""),
    ('{"a": "12 ms"}', "a", "12"),
    ('{"a": "1,5"}', "a", "1.5"),
]


@pytest.mark.parametrize(("output", "key", "value"), KEYS)
def test_a_key_leads_through_objects_and_arrays(output: str, key: str, value: str):
    assert value_of(output, Source("m", key)) == value
    assert value_of(f"noise 5\n{output}\n", Source("m", key)) == value


SAME = [
    ("4 errors\n", "1 error\n", "1"),
    ("There are 3 matches.\n", "There is 1 match.\n", "1"),
    ("METRIC t=478 us\n", "METRIC t=1.75 ms\n", "1750"),
    ("time: 478 us\n", "time: 1.75 ms\n", "1750"),
    ("2 KiB\n", "1 MiB\n", "1024"),
    ('{"t": 478, "unit": "us"}\n', '{"t": 1.75, "unit": "ms"}\n', "1750"),
    ("METRIC n=1,234,567\n", "METRIC n=987,654\n", "987654"),
    ("METRIC n=1,234,567\n", "METRIC n=987\n", "987"),
    ("METRIC t=3,14\n", "METRIC t=15,200\n", "15.200"),
    ("47\n", "a warning\n46\n", "46"),
    ("METRIC n=0\n", "METRIC n=1,234.5\n", "1234.5"),
]
OTHER = [
    ("4 failed\n", "1 error\n", "the text around it"),
    ("478 kB\n", "1.75 MB\n", "the unit was 'kB'"),
    ("1.2 it/s\n", "1.5 s/it\n", "the unit"),
    ("METRIC m=478\n", "METRIC m=1.75 ms\n", "the unit"),
    ('{"loss": 0.8}\n', '{"error": 0.0, "timeout": true}\n', "'loss'"),
    ('{"t": 4, "time_unit": "ns"}\n', '{"t": 4, "time_unit": "parsec"}\n', "the unit"),
    ("METRIC seconds=5\n", "METRIC loss=0.8\n", "'seconds'"),
    ("METRIC t=3,14\n", "METRIC t=15.2\n", "decimal comma"),
    ("METRIC n=1,234,567\n", "METRIC n=3,14\n", "decimal comma"),
    ("METRIC n=5\n", "METRIC n=1,234\n", "1234 or 1.234"),
    ("METRIC m=1234\n", "METRIC m=12", "cut short"),
    ("score 47\n", "score 4", "cut short"),
    ("a\n47\n", "47\nTraceback\n", "its place"),
    ('{"m": 12}\n', "12\n", "no METRIC line or JSON"),
    ("METRIC m=12\n", "12\n", "at the baseline as a METRIC line"),
    ("12\n", '{"m": 3}\n', "JSON key"),
]


@pytest.mark.parametrize(("first", "second", "value"), SAME)
def test_a_later_run_is_read_as_the_baseline_was(first: str, second: str, value: str):
    assert then(first, second) == (value, "")


@pytest.mark.parametrize(("first", "second", "why"), OTHER)
def test_what_differs_from_the_baseline_is_a_crash_that_says_so(first: str, second: str, why: str):
    value, problem = then(first, second)
    assert value == ""
    assert why in problem


def test_the_unit_of_a_table_is_told_by_its_head():
    table = "Name (time in {})      Median\n-----\ntest_work  {} (1.0)\n"
    source = Source("m", "", r"^test_work +([0-9.]+)")
    assert then(table.format("us", "40.1"), table.format("us", "39"), source) == ("39", "")
    value, problem = then(table.format("us", "40.1"), table.format("ms", "1.9"), source)
    assert value == ""
    assert "'us' at the baseline and is 'ms' now" in problem


def test_the_flag_that_a_refusal_names_reads_the_number():
    """What a user is told to type works."""
    import shlex

    for output in ("Total size: 12.3kB in 4 files\n", "x\n  score of 3 runs: 7 points, 9 best\n"):
        problem = printed.extract(output, Source("size")).problem
        pattern = shlex.split(problem.partition("--metric-pattern ")[2])[0]
        assert printed.extract(output, Source("size", "", pattern)).value is not None


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=3)
SHAPES = ("METRIC m={}\n", "METRIC m={} ms\nMETRIC n=5\n", '{{"m": {}, "n": 1}}\n', "time: {} ms\n", "{}\n")


@given(NUMBERS, st.sampled_from(SHAPES), st.data())
def test_no_mutation_of_an_output_is_read_as_another_number(value: Decimal, shape: str, data: st.DataObject):
    """Units, separators, colours, carriage returns, truncation, other words: the same amount, or a crash."""
    base = printed.extract(shape.format("12.5"), ANY)
    source = replace(ANY, form=base.form)
    shown = f"{value:f}"
    plain = shape.format(shown)
    assert printed.extract(plain, source).value == value
    mutated = data.draw(st.sampled_from(_mutations(plain, shown, value)))
    cut = data.draw(st.integers(0, len(plain)))
    for text in (mutated, plain[:cut], "[… 77 bytes cut …]\n" + mutated, plain + "Killed\n"):
        assert printed.extract(text, source).value in (value, None)


def _mutations(plain: str, shown: str, value: Decimal) -> list[str]:
    whole = f"{value:,f}"
    seconds = f"{value / 1000:f}"
    return [
        plain.replace(shown, whole),
        plain.replace(shown, whole.replace(",", NARROW)),
        plain.replace(shown, whole.replace(",", " ")),
        plain.replace(shown, whole.replace(",", "\u2019")),
        plain.replace(shown, whole.replace(",", "_").replace(".", ",").replace("_", ".")),
        plain.replace(shown, shown.replace(".", ",")),
        plain.replace("ms", "s").replace(shown, seconds) if "ms" in plain else plain,
        plain.replace("ms", "MB") + "1 more\n",
        plain.replace(shown, f"\x1b[1m{shown[:2]}\x1b[0m{shown[2:]}"),
        plain.replace(shown, f"{shown[:1]}\x1b[3C{shown[1:]}"),
        "10 %\r50 %\r" + plain,
        plain.replace("\n", "\r\n"),
        plain + plain,
        "17 before\n" + plain,
        plain.replace("m", "other"),
    ]


@given(st.text(alphabet="0123456789.,eE+-' \u202f\u2212msk%x/:\n", max_size=24))
def test_a_spot_is_a_number_of_its_own_or_marked(text: str):
    """What is taken for readable has no digit, sign or separator that goes on at its borders."""
    for spot in quantity.spots(text):
        if not spot.odd:
            assert not text[spot.start - 1 : spot.start].isdigit()
            assert not text[spot.end : spot.end + 1].isdigit()
            assert not (text[spot.end : spot.end + 1] in (",", ".") and text[spot.end + 1 : spot.end + 2].isdigit())

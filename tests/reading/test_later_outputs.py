"""A later output that differs from the baseline's: the number that a person reads in it, or none.

Each was tried to get a wrong one taken.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from autoresearch.reading import printed, screen
from autoresearch.reading.printed import Source

# baseline, later output, key, pattern, the number that may be read of the later one ("" for none)
ROWS: list[tuple[str | bytes, str | bytes, str, str, str]] = [
    ("Total: 12 errors\n", "Total: 1 error, compilation aborted\n", "", "", ""),
    ("score 0.91\n", "score 1e-3\n", "", "", "0.001"),
    ("time: 250ms\n", "time: 1.2s\n", "", "", "1200"),
    ("time: 250 ms\n", "time: 1,200 ms\n", "", "", "1200"),
    ("size 900 kB\n", "size 1.1 MB\n", "", "", "1100"),
    ("size 900 KiB\n", "size 1.5 MiB\n", "", "", "1536"),
    ("took 59s\n", "took 1m 2s\n", "", "", "62"),
    ("took 59.2 s\n", "took 1:02.3\n", "", "", ""),
    ("3 tests failed\n", "no tests failed, 17 passed\n", "", "", ""),
    ("12 warnings\n", "12 warnings (3 new)\n", "", "", ""),
    ("loss=0.5\n", "loss=nan (step 12)\n", "", "", ""),
    ("accuracy: 91%\n", "accuracy: 0.92\n", "", "", ""),
    ('{"ms": 12.5}\n', '{"ms": "12.5 s"}\n', "ms", "", ""),
    ('{"a": {"t": 5}}\n', '{"a": {"t": 5, "u": 3}}\n{"a": {"t": 7}}\n', "a.t", "", "7"),
    ('{"t": 5}\n', '{"t": 4}\n{"t": \n', "t", "", ""),
    ('[{"n":"a","t":5},{"n":"b","t":9}]', '[{"n":"b","t":9},{"n":"a","t":4}]', "[0].t", "", "4"),
    ('{"t": 5, "unit": "ms"}\n', '{"t": 0.006, "unit": "s"}\n', "t", "", "6"),
    ('{"t_ms": 5}\n', '{"t_s": 0.006}\n', "", "", ""),
    ("METRIC m=5\n", "METRIC m=5 (cached)\n", "", "", ""),
    ("METRIC m=5\n", "METRIC m=4\nMETRIC m=5\n", "", "", ""),
    ("METRIC m=5\n", "# METRIC m=1\nMETRIC m=4\n", "", "", "4"),
    ("METRIC m=5\n", "METRIC m = 0x10\n", "", "", ""),
    ("METRIC m=5\n", "METRIC m=5_000\n", "", "", "5000"),
    ("METRIC m=5\n", "METRIC m=5/10\n", "", "", ""),
    ("METRIC m=5\n", "METRIC m=-5-\n", "", "", ""),
    ("METRIC m=5\n", "METRIC m=(5)\n", "", "", ""),
    ("METRIC m=5\n", "METRIC m=5…\n", "", "", ""),
    ("METRIC m=5\n", "METRIC m=4", "", "", ""),
    ("METRIC m=5,3\n", "METRIC m=5.300,2\n", "", "", "5300.2"),
    ("result: 5\n", "result: 5\nresult: 6\n", "", "result: (\\S+)", ""),
    ("result: 512\n", "result: 5 120\n", "", "result: (\\d+)", ""),
    ("result: 512\n", "result: 5\u202f120\n", "", "result: (\\d+)", "5120"),
    ("result: 512\n", "result: 1.5e3\n", "", "result: ([\\d.]+)", ""),
    ("a 5 ms\n", "a 4 us\n", "", "a (\\d+)", "0.004"),
    ("Name (ms)\nx 5\n", "Name (us)\nx 900\n", "", "x (\\S+)", "0.9"),
    ("| name | mean [ms] |\n| x | 5 |\n", "| name | mean [s] |\n| x | 1 |\n", "", "\\| x \\| (\\S+)", "1000"),
    ("p50 12 p99 90\n", "p50 12 p99 80 p999 95\n", "", "p99 (\\S+)", "80"),
    ("10 passed\r\n", "0%\r50%\r100%\r9 passed\r\n", "", "", "9"),
    ("loading 10%\rdone 42\n", "loading 10%\rdone 41\n", "", "", "41"),
    ("\x1b[31m42\x1b[0m\n", "\x1b[31m4\x1b[0m\x1b[32m1\x1b[0m\n", "", "", "41"),
    ("42\n", "4\x083\n", "", "", "3"),
    (b"\xff\xfe4\x002\x00\n\x00", b"4\x001\x00\n\x00", "", "", "41"),
    ("cost 12 $\n", "cost 12 €\n", "", "", ""),
    ("12 req/s\n", "12 req/min\n", "", "", ""),
    ("throughput 5 MB/s\n", "throughput 5 MiB/s\n", "", "", ""),
    ("5 GB\n", "5 Gb\n", "", "", ""),
    ("1.5x faster\n", "1.5x slower\n", "", "", ""),
    ("coverage: 81.3% of statements\n", "coverage: [no statements]\n", "", "", ""),
    ("coverage: 81.3% of statements\n", "coverage: 100.0% of statements in ./a\n", "", "", ""),
    ("Rank #5\n", "Rank #12 of 50\n", "", "", ""),
    ("version 3\n", "version 3.1\n", "", "", "3.1"),
    ("done in 12 seconds\n", "done in 12 minutes\n", "", "", "720"),
    ("done in 12 seconds\n", "done in 2 minutes 3 seconds\n", "", "", ""),
    ("lines: 1200\n", "lines: 1.2k\n", "", "", ""),
    ("lines: 1.2k\n", "lines: 1.1M\n", "", "", ""),
    ("42\n", "Traceback (most recent call last):\n  File x, line 42\n", "", "", ""),
    ("42\n", "42\n\n[… 100 bytes cut …]\n", "", "", ""),
    ("Elapsed 12\n", "Elapsed ~11\n", "", "", ""),
    ("Elapsed 12\n", "Elapsed <1\n", "", "", ""),
    ("Elapsed 12\n", "Elapsed >100\n", "", "", ""),
    ("Elapsed 12\n", "Elapsed ≥100\n", "", "", ""),
    ("METRIC m=12\n", "METRIC m=<1\n", "", "", ""),
    ("METRIC m=12\n", "METRIC m=~11\n", "", "", ""),
    ("r <12\n", "r <1\n", "", "r .?(\\d+)", ""),
    ("12.0\n", "11.0±3\n", "", "", ""),
    ("12.0\n", "11.0 ± 3\n", "", "", ""),
    ("12.0\n", "11.0(3)\n", "", "", ""),
    ("12.0\n", "11.0..13\n", "", "", ""),
    ("12.0\n", "1²\n", "", "", ""),
    ("12.0\n", "3*10^5\n", "", "", ""),
    ("12.0\n", "3e5\n", "", "", "300000"),
    ("12.0\n", "3×10⁵\n", "", "", ""),
    ("12.0\n", "½\n", "", "", ""),
    ("12.0\n", "1/2\n", "", "", ""),
    ("12.0\n", "0b11\n", "", "", ""),
    ("12.0\n", "١٢\n", "", "", ""),
    ("12.0\n", "12.0.1\n", "", "", ""),
    ("result 3 of 10\n", "result 4 of 10\n", "", "result (\\d+)", "4"),
    ("errors: 3\n", "errors: 3+\n", "", "", ""),
    ("errors: 30\n", "errors: 99+\n", "", "errors: (\\d+)", ""),
    ("METRIC m=30\n", "METRIC m=99+\n", "", "", ""),
    # what a pattern takes, where the output's other words say that it is another number, or none
    ("  2 failing\n", "  4 passing\n  1 pending\n", "", "(\\d+) (?:failing|pending)", ""),
    ("5 examples, 2 failures\n", "0 examples, 0 failures, 1 error occurred outside\n", "", "(\\d+) failure", ""),
    ("5 examples, 2 failures\n", "5 examples, 1 failure, 0 errors\n", "", "(\\d+) failure", "1"),
    (
        "Found 12 errors in 3 files\n",
        "Found 1 error (errors prevented further checking)\n",
        "",
        "Found (\\d+) error",
        "",
    ),
    ("Found 12 errors in 3 files\n", "Found 1 error in 1 file\n", "", "Found (\\d+) error", "1"),
    ("Tests:  2 failed, 5 passed\n", "Test Suites: 1 failed, 1 total\nTests: 0 total\n", "", "(\\d+) failed", ""),
    ("change: 10% faster\n", "change: 10% slower\n", "", "change: (\\d+)%", ""),
    ("score 0.5\n", "score 0.6 (improved)\n", "", "score (\\S+)", "0.6"),
    ("Duration: 12 ms\n", "Duration: < 1 ms\n", "", "Duration: \\D*(\\d+)", ""),
    ("a 5 12.3 ± 1.2 ns/op\n", "a 5 0.4 ± 0.1 us/op\n", "", "a 5 (\\S+)", "400"),
    ("| Sum | 912.3 ns | 1.2 ns |\n", "| Sum | NA | 1.2 ns |\n", "", "Sum\\D+([\\d.]+)", ""),
    ("941 Mbits/sec receiver\n", "1.20 Gbits/sec receiver\n", "", "^(\\S+)", ""),
    ("in 123.45 millis all\n", "in 1.23 secs all\n", "", "in (\\S+)", "1230"),
    ("total: 1234\n", "total: 12", "", "total: (\\d+)", ""),
    ("s=1\rs=123 per second\n", "s=1\rs=90", "", "s=(\\d+)", ""),
    ("Total: 12,5 ms\n", "Total: 1\u202f234,5 ms\n", "", "", "1234.5"),
    ("12 issues:\n", "0 issues.\n", "", "", "0"),
    ("name,time_ms\nsum,12.5\n", "name,time_s\nsum,0.5\n", "", "sum,(\\S+)", ""),
    ("name\tmean\tmax\nsum\t12.5\t99\n", "name\tmax\tmean\nsum\t99\t12.4\n", "", "^sum\t([\\d.]+)", ""),
    ("| a | mean | max |\n| sum | 12.5 | 99 |\n", "| a | max | mean |\n| sum | 99 | 12.4 |\n", "", "sum . (\\S+)", ""),
    ("| a | mean |\n| sum | 12.5 |\n", "| a | mean |\n| b | 1 |\n| sum | 12.4 |\n", "", "sum . (\\S+)", "12.4"),
    ("BUILD SUCCESSFUL in 12s\n", "BUILD FAILED in 1s\n", "", "in (\\d+)s", ""),
    ("2 failed in 12s\n", "1 passed, 1 failed in 11s\n", "", "in (\\d+)s", "11"),
    ("[  FAILED  ] 2 tests, listed below:\n", "[  PASSED  ] 1 test.\n", "", "\\] (\\d+) test", ""),
    ("[ERROR] Tests run: 9, Failures: 2\n", "[INFO] Tests run: 9, Failures: 0\n", "", "Failures: (\\d+)", "0"),
    ('{"metric": "loss", "value": 5}\n', '{"metric": "acc", "value": 0.9}\n', "value", "", ""),
    ('{"name": "run-1", "t": 5}\n', '{"name": "run-2", "t": 4}\n', "t", "", "4"),
    ("max: 5.2\n", "min: 3\n", "", ".*(?:max|min): (\\S+)", ""),
    ("5 failing\n", "3 pending\n", "", "(\\d+) .*(?:failing|pending)", ""),
    ("p50=3\n", "p99=3\n", "", "p(?:50|99)=(\\d+)", ""),
    ("     mean   max\nsum  12.5  99.0\n", "      max  mean\nsum  99.0  12.4\n", "", "^sum +(\\S+)", ""),
    (
        "   mean   max\na  12.5  99.0\nb   1.5   8.0\n",
        "    max  mean\na  99.0  12.5\nb   8.0   1.4\n",
        "",
        "^b +(\\S+)",
        "",
    ),
    ("Coverage %: 80\n", "Coverage: 0.81\n", "", "Coverage.*: (\\S+)", ""),
    ("3 hits\n", "3 misses\n", "", "", ""),
    # what JSON says beside the key
    ('{"ms": 7, "level": "info"}\n', '{"ms": 1, "level": "error"}\n', "ms", "", ""),
    ('{"ms": 7, "error": null}\n', '{"ms": 1, "error": "no such file"}\n', "ms", "", ""),
    ('{"ms": 7, "errors": 0}\n', '{"ms": 6, "errors": 2}\n', "ms", "", "6"),
    ('{"ok": true, "r": {"ms": 7}}\n', '{"ok": false, "r": {"ms": 1}}\n', "r.ms", "", ""),
    ('{"unit": "ms", "t": {"v": 5}}\n', '{"unit": "s", "t": {"v": 0.006}}\n', "t.v", "", ""),
]


@pytest.mark.parametrize(("baseline", "later", "key", "pattern", "right"), ROWS)
def test_a_later_output_gives_the_right_number_or_none(
    baseline: str | bytes, later: str | bytes, key: str, pattern: str, right: str
):
    texts = [screen.decode(text) if isinstance(text, bytes) else text for text in (baseline, later)]
    first = printed.extract(texts[0], Source("m", key, pattern))
    assert first.value is None or str(first.value) in texts[0] or first.form.notation
    found = printed.extract(texts[1], Source("m", key, pattern, first.form))
    if first.value is not None:
        assert found.value in (None, *([Decimal(right)] if right else [])), found


def test_an_entry_of_a_list_is_known_by_its_name():
    source = Source("m", "[0].t")
    first = printed.extract('[{"name": "a", "t": 5}, {"name": "b", "t": 9}]', source)
    swapped = '[{"name": "b", "t": 9}, {"name": "a", "t": 4}]'
    found = printed.extract(swapped, Source("m", "[0].t", form=first.form))
    assert found.value is None and "the text around it was 'a' at the baseline and is 'b' now" in found.problem


# Later outputs of runs that went well: a refusal there would be a trial lost.
HEALTHY = [
    ("3 failed, 2 passed in 0.12s\n", "1 failed, 4 passed, 2 warnings in 0.1s\n", "", r"(\d+) failed", "1"),
    ("Found 12 errors (checked 10 files)\n", "Found 1 error (checked 10 files)\n", "", r"Found (\d+)", "1"),
    ("12 problems (3 errors, 9 warnings)\n", "9 problems (0 errors, 9 warnings)\n", "", r"(\d+) problem", "9"),
    ("Time (mean): 10.5 ms ± 1.2 ms\n", "Time (mean):  1.2 s ± 0.2 s\n", "", r"mean\): +(\S+)", "1200"),
    ("change: [-1% +0.1% +2%] (0.5 > 0.05)\n", "change: [-8% -7.1% -6%] (0.0 < 0.05)\n", "", r"\[\S+ (\S+)%", "-7.1"),
    ("2026-01-01 10:00:00 loss=0.512\n", "2026-01-02 11:10:09 loss=0.412\n", "", r"loss=(\S+)", "0.412"),
    ("Name  Cover\nTOTAL  80%\n", "Name  Cover\nnew.py  90%\nTOTAL  90%\n", "", r"^TOTAL.*?(\S+)%", "90"),
    ("a-Bx.js 143.42 kB │ gzip: 46.10 kB\n", "a-Cq.js 140.4 kB │ gzip: 45.10 kB\n", "", r"gzip: (\S+)", "45.10"),
    ("result: FAILED. 3 passed; 2 failed\n", "result: ok. 5 passed; 0 failed\n", "", r"(\d+) failed", "0"),
    ("Failed!  - Failed:  2, Passed:  5\n", "Passed!  - Failed:  0, Passed:  7\n", "", r"Failed: +(\d+)", "0"),
    ("avg=5.12ms p(95)=9ms\n", "avg=912.1µs p(95)=8ms\n", "", r"avg=(\S+)", "0.9121"),
    ("train_error 0.2 val_error 0.5\n", "train_error 0.1 val_error 0.4\n", "", r"val_error (\S+)", "0.4"),
    ("src/a.py: 12 errors\n", "src/a.py: 9 errors\n", "", r": (\d+) errors", "9"),
    ("status:   ok\ntime:     12\n", "status:   slow\ntime:     11\n", "", r"time:\s+(\S+)", "11"),
    ("12 vulnerabilities\n", "1 vulnerability\n", "", "", "1"),
    ("3 cookies\n", "1 cookie\n", "", "", "1"),
    ("3 caches\n", "1 cache\n", "", "", "1"),
    ("3 boxes\n", "1 box\n", "", "", "1"),
    ("3 bugs left!\n", "1 bug left!\n", "", "", "1"),
    ("3 IDs\n", "1 ID\n", "", "", "1"),
    ("Entries: 3\n", "Entry: 1\n", "", r"Entr.*: (\d+)", "1"),
    ("3 errors\n", "1 error\n", "", r"(\d+) (?:error|errors)", "1"),
    ("3 entries of a\n", "1 entry of a\n", "", r"(\d+) entr(?:y|ies)", "1"),
    ("took 980 ms\n", "took 1 s\n", "", r"took (\d+) (?:ms|s)", "1000"),
    ("result: FAILED. 3 passed; 2 failed\n", "result: ok. 5 passed; 0 failed\n", "", r"(?:ok|FAILED)\. .*; (\d+)", "0"),
    ("Failed!  - Failed:  2\n", "Passed!  - Failed:  0\n", "", r"(?:Passed|Failed)! .*Failed: +(\d+)", "0"),
    ("     mean   max\nsum  12.5  99.0\n", "     mean   max\nsum  11.5  99.0\n", "", r"^sum +(\S+)", "11.5"),
    ("  Compiling a  b\nsum  12.5  99\n", "  Compiling c  d\nsum  11.5  99\n", "", r"^sum +(\S+)", "11.5"),
    ('{"failed": 5, "success": false}\n', '{"failed": 0, "success": true}\n', "failed", "", "0"),
    ('{"n": 5, "error": null, "status": "ok"}\n', '{"n": 4, "error": "", "status": "done"}\n', "n", "", "4"),
]


@pytest.mark.parametrize(("baseline", "later", "key", "pattern", "right"), HEALTHY)
def test_a_later_output_of_a_healthy_run_is_read(baseline: str, later: str, key: str, pattern: str, right: str):
    first = printed.extract(baseline, Source("m", key, pattern))
    assert printed.extract(later, Source("m", key, pattern, first.form)).value == Decimal(right)

"""A run of verify and the number that it prints: the port `measure`."""

from __future__ import annotations

from ..kernel.core.choices import NOTHING
from ..kernel.core.frozen import replace
from ..kernel.core.settings import Config
from ..kernel.run.measure import VerifyRun
from . import form, printed, screen

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from ..kernel.run.measure import Bench, Rest, Start
    from ..kernel.system import process


def source(config: Config) -> printed.Source:
    """Where a run's metric is found in the check's output."""
    known = form.from_dict(config.metric_form)
    return printed.Source(config.metric, config.metric_key, config.metric_pattern, known, config.metric_take)


def around(bench: Bench, start: Start, rest: Rest) -> VerifyRun:
    """Run verify and read what it prints; the port `measure`."""
    config = bench.config
    if config.measure != NOTHING or config.metric_from:
        return rest()
    done, cleaned = start(config.verify)
    found = _streams(done, config)
    problem = f"verify printed no usable metric: {found.problem}" if found.problem else ""
    return VerifyRun(done, cleaned, found.value, problem, found.others, found.form.to_dict())


def _streams(done: process.Finished, config: Config) -> printed.Reading:
    """The metric on the stream that was asked for; where it is on the other one, the problem says so."""
    streams, wanted = {"stdout": done.stdout, "stderr": done.stderr}, source(config)
    reading = printed.extract(screen.decode(streams.pop(config.metric_stream)), wanted)
    other, data = next(iter(streams.items()))
    if reading.value is None and data.strip() and printed.extract(screen.decode(data), wanted).value is not None:
        return replace(reading, problem=f"{reading.problem}; {other} has one: --metric-stream {other} reads it there")
    return reading

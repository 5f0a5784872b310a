"""Repeats of one state, made at one time where the run's executor can: the port `measure`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ..kernel import ports
from ..kernel.core.choices import EXECUTOR
from ..kernel.run.measure import Bench


@contextmanager
def of(bench: Bench, count: int) -> Iterator[bool]:
    """Whether the next `count` runs of verify, which the block asks for one by one, were made at one time."""
    asked = ports.asked("measure", "ahead") if count > 1 and bench.config.executor != EXECUTOR else ()
    with ExitStack() as stack:
        made = [stack.enter_context(ahead(bench, count)) for ahead in asked]
        yield any(made)

"""Where features attach to one experiment. The kernel names the ports; `autoresearch.wiring` says who stands there.

port          what a provider is
measuring     a module like `kernel.run.exact`: how baseline and candidate are measured and compared
reading       f(bench, start, rest) -> `measure.Ran`: runs verify by `start` and reads its number or leaves it to `rest`
total         f(run) -> whether the total of the run is to be measured now
second_look   f(run, bench, note, verdict, labels) -> the note and the verdict to go on with
recorded      f(run, row, insight, strategy): what follows a row that is in the log; a `Refusal` of it is passed over
screening     f(run, bench, arms) -> why a quick check spares the full one, or ""
profile       a module like `profiles.run_profile`: `told(run, row)` and `rehearsed(config, root)` give keys of an
              answer on where the time goes
advice        f(run) -> mapping of keys for the answer's `next`
refusals      f(run, patch) -> why this edit is refused before anything runs, or ""
warnings      f(run, patch) -> what must be read before this edit is run, or ""; the agent may insist
proving       f(root, config) -> a context with `after(bench, samples)` -> warnings, and `events()`: what is looked at
              around the measuring of a baseline;
              `watching()` is a context around each run; the start and `after` may raise a `Refusal`
admission     f(run, edits) -> why no trial is made now, or ""
settling      f(run) -> events on what the checks of a trial left
told          f(run, row) -> mapping of keys for the answer's `next`
offers        f(run, row, action) -> keys of the answer's `next` that make a trial of the tool's own the next step
own_trial     f(run) -> the stored attempts that are worth a trial now, as `run_trial --retry` takes them, or ""
retrying      f(layout, iterations) -> the answer of a trial of stored attempts
environment   f(root) -> the header's line on the machine
agent         a module with the names of `background.agent.Agent`: who does a session's work; the first is the usual one
handover      f(run) -> whether somebody runs a trial that is left waiting, once this turn has ended
sandbox       f(run) -> the command line of a sandbox that a check runs in, () where it cannot be had
running       f(bench, command, limit) -> how a check ended that was run where the setting `executor` says
ended         f(layout, mark): ends what a killed measurement has running elsewhere
screen        f(layout) -> what people see of the run, as text for this terminal, or ""
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PACKAGE = __name__.partition(".")[0]


def providers(port: str) -> Iterator[Any]:
    """Yield what stands at a port, in the order of the table; nothing where the features are not there."""
    wires = importlib.import_module(f"{_PACKAGE}.wiring").WIRES
    for name in wires[port]:
        module, _, attribute = name.partition(":")
        try:
            found = importlib.import_module(f"{_PACKAGE}.{module}")
        except ModuleNotFoundError as error:
            if error.name != f"{_PACKAGE}.{module.partition('.')[0]}":
                raise
            continue
        yield getattr(found, attribute) if attribute else found


def provider(port: str, default: Any) -> Any:
    """The first that stands at a port, or the kernel's own `default`."""
    return next(providers(port), default)

"""Where features attach to one experiment. The kernel names four ports; `autoresearch.wiring` says who stands there.

Each port has questions. A provider is a module; it answers a question by its function of that name, or, where the
list says "the module", as a whole.

measure     how a candidate is measured
  rule        the module, like `kernel.run.exact`: how baseline and candidate are measured and compared
  around      f(bench, start, rest) -> `measure.Ran`: runs verify by `start` and reads its number or leaves it to `rest`
  parts       f(command) -> the commands that a guard is made of, each with its `label`
  spared      f(run, bench, arms) -> why a quick check spares the full one, or ""
  kept        f(guarded) -> what puts back, after a check, what it must leave, and says what that was
  run         f(bench, command, limit) -> how a check ended that was run where the setting `executor` says
  ahead       f(bench, count) -> a context: whether so many runs of verify that it asks for were made at one time
  ended       f(layout, mark): ends what a killed measurement has running elsewhere
  waits       f(git, folder) -> what is called when this git has ended: raises a `Refusal` that names the pipe at which
              it waited for ever
  look        f(run, bench, note, verdict, labels) -> the note and the verdict to go on with
  tests       f(config) -> how many parts of a failed edit may be tried
  progress    f(text): says to whoever waits what is being done, "" when that is over
  proving     f(root, config) -> a context with `after(bench, samples)` -> warnings, and `events()`: what is looked at
              around the measuring of a baseline; `watching()` is a context around each run; the start and `after` may
              raise a `Refusal`
edit        what else refuses an edit
  admission   f(run, edits) -> why no trial is made now, or ""
  refusal     f(run, patch) -> why this edit is refused before anything runs, or ""
  warning     f(run, patch) -> what must be read before this edit is run, or ""; the agent may insist
  settled     f(run, edits) -> events on what the checks of a trial left
row         what follows a row
  tidied      f(path, data, write) -> the log that another program wrote, in our form; with `write` it is put there
  recorded    f(run, row, insight, strategy): what follows a row that is in the log; a `Refusal` of it is passed over
  told        f(run, row, found) -> keys for the answer's `next`; `found` is what those before it told
  shown       f(run, row, found) -> keys of the answer `found`, such as where the time goes
  advice      f(run) -> the command that ends what goes with the run, or ""
  is_due      f(run) -> whether the total of the run is to be measured now
session     which agent runs a session, and what goes on beside it
  agent       the module, with the names of `background.agent.Agent`: who does the work; the first is the usual one
  queue       the module, like `waiting.waiting`: who keeps a trial that no model waits for
  is_running  f(layout) -> whether a controller works on the run
  takes_over  f(run) -> whether somebody runs a trial that is left waiting, once this turn has ended
  sandbox     f(run) -> the command line of a sandbox that a check runs in, () where it cannot be had
  retry       f(layout, iterations) -> the answer of a trial of stored attempts
  screen      f(layout) -> what people see of the run, as text for this terminal, or ""
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PACKAGE = __name__.partition(".")[0]
_WHOLE = ("rule", "agent", "queue")  # questions that a module answers as a whole


def asked(port: str, question: str) -> Iterator[Any]:
    """Yield what answers a question, in the order of the table; nothing where the features are not there."""
    for name, answers in importlib.import_module(f"{_PACKAGE}.wiring").WIRES[port].items():
        if question not in answers:
            continue
        try:
            found = importlib.import_module(f"{_PACKAGE}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{_PACKAGE}.{name.partition('.')[0]}":
                raise
            continue
        yield found if question in _WHOLE else getattr(found, question)


def first(port: str, question: str, default: Any = None) -> Any:
    """The first that answers a question, or the kernel's own `default`."""
    return next(asked(port, question), default)

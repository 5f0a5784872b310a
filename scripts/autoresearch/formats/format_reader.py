"""The metric from a tool's own output: the port `measure`."""

from __future__ import annotations

from decimal import Decimal

from ..kernel.core.choices import NOTHING
from ..kernel.core.errors import Refusal
from ..kernel.core.text import one_line
from ..kernel.run.measure import VerifyRun
from ..reading import form as forms
from ..reading import printed, reader, screen
from ..reading.form import Form
from ..reading.quantity import Quantity
from . import format_table

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from ..kernel.run.measure import Bench, Rest, Start
    from ..kernel.system import process
    from .contents import Number

FILE_LIMIT = 64 << 20  # bytes of a result file that are read
_OTHERS = 60
_NOTHING = "No Python files found under the given path"  # ruff, which then exits with 0 and prints `[]`


def around(bench: Bench, start: Start, rest: Rest) -> VerifyRun:
    """Run verify and read the number in the format of `--metric-from`, from its file or else its output."""
    config = bench.config
    name, _, file = config.metric_from.partition(":")
    if not name:
        return rest()
    if config.measure != NOTHING:
        raise Refusal("--measure and --metric-from both name the metric, expected one of them; leave the other out")
    format_table.known(name)
    done, cleaned = start(config.verify)
    found = _read(bench, name, file, done)
    problem = f"verify printed no usable metric: {found.problem}" if found.problem else ""
    return VerifyRun(done, cleaned, found.value, problem, found.others, found.form.to_dict())


def _read(bench: Bench, name: str, file: str, done: process.Finished) -> printed.Reading:
    config = bench.config
    data = done.stdout if config.metric_stream == "stdout" else done.stderr
    if file:
        try:
            if not (bench.tree / file).is_file():  # a pipe would be waited for without end
                raise OSError
            with open(bench.tree / file, "rb") as opened:
                data = opened.read(FILE_LIMIT + 1)
        except (OSError, ValueError):
            return printed.Reading(None, f"verify wrote no {one_line(file, 80)} that can be read")
        if len(data) > FILE_LIMIT:
            return printed.Reading(None, f"{one_line(file, 80)} is larger than {FILE_LIMIT >> 20} MiB")
    return read(name, screen.decode(data), reader.source(config), screen.decode(done.stderr))


def read(name: str, stdout: str, source: printed.Source, beside: str = "") -> printed.Reading:
    """The number that `source` names in an output of this format, or why there is none.

    `beside` is what the check printed on stderr: a linter that looked at no file says so there alone.
    """
    text = screen.without_cut(screen.clean(stdout))
    try:
        if screen.CUT in text:
            raise Refusal("it was cut in its middle; let the check write a file, as --metric-from FORMAT:FILE")
        if not text.strip():
            raise Refusal("it is empty")
        if _NOTHING in beside:
            raise Refusal("the check looked at no file (it says 'No Python files found')")
        found, first = format_table.read(name, text)
        chosen = _chosen(found, first, source)
        form = Form(f"{name} output", chosen.name, chosen.unit)
        number = _fitted(Quantity(chosen.value, chosen.unit), form, source.form)
    except Refusal as refusal:
        return printed.Reading(None, f"as {name} output, {one_line(str(refusal), 240)}", form=Form(f"{name} output"))
    return printed.Reading(number.value, "", _others(found, chosen), form)


def _chosen(found: list[Number], first: bool, source: printed.Source) -> Number:
    names = [number.name for number in found]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise Refusal(f"{twice[0]!r} stands in it twice")
    wanted = source.form.name or source.key or (source.name if source.name in names else "")
    if not wanted and first:
        return found[0]
    if wanted not in names:
        listed = one_line(", ".join(names), 100)
        raise Refusal(f"it has no {wanted!r} but {listed}" if wanted else f"it has {listed}; name one: --metric-key")
    return found[names.index(wanted)]


def _fitted(number: Quantity, found: Form, known: Form) -> Quantity:
    if not known.kind:
        return number
    problem = forms.difference(found, known)
    if problem:
        raise Refusal(problem)
    if bool(number.unit) != bool(known.unit):
        raise Refusal(f"its unit was {known.unit or 'none'} at the baseline and is {number.unit or 'none'} now")
    return forms.fitted(number, known)


def _others(found: list[Number], chosen: Number) -> dict[str, Decimal]:
    return {one_line(number.name, 64): number.value for number in found[:_OTHERS] if number is not chosen}

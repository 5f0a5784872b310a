"""The rim: argument groups, JSON out, exit codes, the one try/except. Nothing else prints or exits.

Each command is a module `<feature>/<name>_command.py` (here for the kernel's own) with `add_arguments(parser)` and
`run(args)`; only the one that was asked for is imported, and it loads what it needs when it runs: start-up time is
paid on every experiment.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence

from ..kernel.core.errors import Refusal

TYPE_CHECKING = False  # `typing` itself costs more than `--help` may
if TYPE_CHECKING:
    from typing import Any, NoReturn


# No catalogue of translations is looked for, on each text of each parser: `locale` would be imported for that.
argparse._ = str  # type: ignore[attr-defined]
# What `pathlib` says in a plain RuntimeError: of a link to itself, of a user without a home.
_PLACES = ("Symlink loop", "home directory")


MANY = 12  # flags from which usage does not list them


class Outcome:
    """An answer that is not plain JSON with exit code 0: `text` wins over `payload` when it is given."""

    def __init__(self, payload: Mapping[str, Any], exit_code: int = 0, text: str | None = None) -> None:
        """Hold the answer; not a dataclass, because `--help` loads this module and must not load those."""
        self.payload, self.exit_code, self.text = payload, exit_code, text


def fail(message: str, code: int = 1) -> int:
    """Say what went wrong in one line on stderr; returns the exit code."""
    from ..kernel.core.text import one_line

    return complain(f"error: {one_line(message, 2000)}", code)


def fail_json(message: str, code: int = 2) -> int:
    """Say as one JSON object on stderr what stops exec mode, which is always exit code 2."""
    from ..kernel.core import jsontext
    from ..kernel.core.text import one_line

    return complain(jsontext.dumps({"error": one_line(message, 2000), "exit_code": 2}), 2)


def complain(line: str, code: int) -> int:
    """Print one line on stderr; returns the exit code."""
    sys.stderr.buffer.write((line + "\n").encode("utf-8", "replace"))
    sys.stderr.flush()
    return code


class _Help(argparse.HelpFormatter):
    """Wraps by itself: `textwrap` would have to be read for that, and its patterns compiled, on each `--help`."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        lines = [""]
        for word in text.split():
            room = len(lines[-1]) + 1 + len(word) <= width
            lines[-1:] = [f"{lines[-1]} {word}".lstrip()] if room or not lines[-1] else [lines[-1], word]
        return lines

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in self._split_lines(text, width - len(indent)))


class _FlagParser(argparse.ArgumentParser):
    """Usage errors in one line, exit code 2; flags are never abbreviated."""

    fail = staticmethod(fail)
    width = 0  # of the terminal, once it was asked for

    def format_help(self) -> str:
        """Many flags that may all be left out are named once: with what each is for, not in the usage too."""
        if len(self._actions) > MANY and not any(action.required for action in self._actions):
            self.usage = "%(prog)s [FLAG …]"
        return super().format_help()

    def _get_formatter(self) -> argparse.HelpFormatter:
        """Help as wide as the terminal. A width that is given spares argparse an import of `shutil` for each flag."""
        if not self.width:
            try:
                _FlagParser.width = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
            except (OSError, ValueError):
                _FlagParser.width = 100
        return _Help(self.prog, width=max(40, self.width) - 2)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """A flag's value; `--flag=--` is none: argparse hands on an empty list, and from 3.13 on the dashes."""
        if arg_strings == ["--"] and action.option_strings and action.nargs is None:
            raise argparse.ArgumentError(action, "expected one argument")
        return super()._get_values(action, arg_strings)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave."""
        from ..kernel.core.text import one_line

        sys.exit(self.fail(f"{one_line(message, 300)}; see {self.prog} --help", 2))


def main(name: str, argv: Sequence[str] | None = None) -> int:
    """Run one command ("report.watch", or "watch" alone); its exit code: 0 done, 1 refused or failed, 2 bad usage."""
    _open_streams()
    folder, _, verb = (name if "." in name else f"{_home_of(name)}.{name}").partition(".")
    parser = _FlagParser(prog=f"autoresearch_{verb}.py", allow_abbrev=False)
    args = argparse.Namespace()
    try:
        command = importlib.import_module(f"autoresearch.{folder}.{verb}_command")
        parser.description, parser.fail = command.__doc__, getattr(command, "fail", fail)
        command.add_arguments(parser)
        mixed = getattr(command, "INTERMIXED", False)  # options may stand between operands
        args = parser.parse_intermixed_args(argv) if mixed else parser.parse_args(argv)
        if argv is None:
            _hand_over(args, getattr(command, "OF_A_RUN", False))
        return _print(_run(command, args))
    except Refusal as refusal:
        return parser.fail(str(refusal))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader left; nothing to say to anybody
        return 1
    except KeyboardInterrupt:
        return parser.fail("interrupted; the next command finishes or undoes what was begun", 130)
    except Exception as error:
        if os.environ.get("AUTORESEARCH_TRACEBACK"):
            raise
        return parser.fail(_blame(error, getattr(args, "repo", None) or "."))


def _open_streams() -> None:
    """Streams that the caller has closed lead nowhere; else the next file that is opened would be one of them."""
    for handle, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != handle:
                os.dup2(nowhere, handle)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(handle, "w" if handle else "r", closefd=False))


def _home_of(verb: str) -> str:
    """The feature of a command that is named alone."""
    root = os.path.dirname(os.path.dirname(__file__))
    found = (one for one in os.listdir(root) if os.path.exists(os.path.join(root, one, f"{verb}_command.py")))
    return next(found, "cli")


def _hand_over(args: argparse.Namespace, of_a_run: bool) -> None:
    """Go on in the copy of the skill that the run began with; a plugin's commands always work in a copy."""
    from . import arguments, own_copy

    script = own_copy.elsewhere(arguments.layout_of(args).evidence, of_a_run)
    if script:
        from ..kernel.system import process

        process.become(script, sys.argv[1:])


def _run(command: Any, args: argparse.Namespace) -> Mapping[str, Any] | Outcome:
    """What the command answers; from here on signals are noted, and obeyed where it does no harm."""
    from ..kernel.system import interrupts

    interrupts.install()
    answer: Mapping[str, Any] | Outcome = command.run(args)
    return answer


def _blame(error: Exception, root: str) -> str:
    """What to say of an error that no rule foresaw: git's and a file's are the machine's, others a defect."""
    from ..kernel.system.gitcall import GitError

    if isinstance(error, GitError):
        from ..kernel.run.branches import explained

        return str(explained(error, os.path.realpath(root)))
    if isinstance(error, RuntimeError) and any(words in str(error) for words in _PLACES):
        return f"{error}; expected a file or folder that can be found, repair this and repeat the command"
    if isinstance(error, OSError) and error.args:
        where = "a file" if error.filename is None else error.filename  # a write that fails does not know its file
        many = error.args[0]  # of `shutil`: several files, each with what is wrong
        said = error.strerror or (many[0][-1] if isinstance(many, list) and many else many)
        return f"{where}: {said}; nothing half-written stays, repair this and repeat the command"
    return (
        f"unexpected {type(error).__name__}: {error}; nothing half-written stays, repeat the command, "
        "and report it with AUTORESEARCH_TRACEBACK=1 set if it comes back"
    )


def _print(answer: Mapping[str, Any] | Outcome) -> int:
    from ..kernel.core import jsontext

    outcome = answer if isinstance(answer, Outcome) else Outcome(answer)
    text = outcome.text if outcome.text is not None else jsontext.dumps(outcome.payload, indent=2)
    if text:
        sys.stdout.buffer.write((text.rstrip("\n") + "\n").encode("utf-8", "replace"))
        sys.stdout.flush()
    return outcome.exit_code

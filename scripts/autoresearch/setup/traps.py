"""Checks that mislead: what fails at the finish rather than at set-up, what a shell hides, each with its remedy."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..kernel.core.settings import Config
from ..kernel.core.text import one_line
from . import shelltext, swallowed
from .evaluator_files import SEPARATOR, words

_BUILDERS = re.compile(
    r"(?:^|[;&|({'\"]\s*|\s)(make|cmake --build|ninja|cargo (?:build|run|bench|test)|go (?:build|run|test)"
    r"|npm run build"
    r"|yarn (?:run )?build|pnpm (?:run )?build|(?:npx )?tsc(?=[^|;&]*(?:&&|;))|gradle|\./gradlew|mvn|bazel"
    r"|dotnet (?:build|run)|swift build|zig build|meson compile|gcc|g\+\+|clang\+?\+?|cc|rustc|javac|stack build"
    r"|cabal build|mix compile|sbt|docker build|pip install|setup\.py (?:build\w*|develop)|\S*build\S*\.sh)(?=\s|$)"
)
_SCRIPT = re.compile(r"(?:.*/)?[\w.-]+\.(?:sh|bash)")
_READ = 1 << 17  # bytes of a script that are looked at


def of_check(root: Path, config: Config) -> tuple[str, ...]:
    """Warnings on the text of verify and of the shell scripts that it runs."""
    if "autoresearch_check.py" in config.verify:
        return ()  # `check.py pytest` ends well while tests fail: the shipped checks know their tools
    found = [*exit_codes(config), *shell(config.verify)]
    for name, text, by_sh in _scripts(root, config.verify):
        found += [f"{name}: {said}" for said in shell(text, by_sh, _strict(text))]
    found += swallowed.found(root, config.verify)
    built = builds(config)
    if built and not config.prepare and config.verify_timeout is None:
        found.append(
            f"{built} may build what was edited within the check's time, which the baseline measured without: "
            "give the build to --prepare, which is timed apart, or set --verify-timeout"
        )
    return tuple(dict.fromkeys(found))


def exit_codes(config: Config) -> list[str]:
    """Checks whose exit code or words change at the finish."""
    verify, found = config.verify, []
    lower, strict = config.direction == "lower", config.verify_exit == "zero"
    if _ends_in_count(verify) and lower and strict:
        found.append(
            "grep -c exits 1 when the count is zero, which this run would see as a crash: "
            "append '|| true' to the check, or set the run up with --verify-exit any"
        )
    if any(word.rpartition("/")[2] == "pytest" for word in _last(verify)) and strict:
        found.append(
            "pytest exits 1 while any test fails, which this run would see as a crash: where failing tests are what is "
            "counted, append '|| true' to the check, or set the run up with --verify-exit any"
        )
    if re.search(r"\bpytest\b", verify) and lower and re.search("fail|error", config.metric_pattern):
        found.append(
            "pytest does not write '0 failed', so the pattern finds no number at the finish: "
            "count its FAILED and ERROR lines instead, as references/fix-workflow.md shows"
        )
    return found


def shell(text: str, by_sh: bool = True, strict: bool = False) -> list[str]:
    """What a shell text hides, and what `sh` does not know of it."""
    hidden, found = shelltext.lost(text, strict), []
    if hidden.piped:
        found.append(
            f"the first command of the pipe ({_named(hidden.piped)}) may fail unseen and its crash be counted as zero: "
            "write its output to a file and check its exit code, or print METRIC name=value from a script"
        )
    if hidden.unseen:
        found.append(
            f"{_named(hidden.unseen)} may fail unseen, and what is left of an earlier run be read: "
            "join the commands with && (or begin with set -e)"
        )
    if hidden.replaced:
        found.append(
            f"where {_named(hidden.replaced)} fails, the command behind || gives the number instead: "
            "let the failure be one, with && or with || exit 1"
        )
    if hidden.forgiven:
        found.append(
            f"'|| true' passes over every failure of {_named(hidden.forgiven)}, and what it printed before its crash "
            "counts: leave it out, or name the one exit code that is none (|| [ $? -eq 1 ])"
        )
    unknown = foreign(text) if by_sh else ""
    return [*found, unknown] if unknown else found


def foreign(text: str) -> str:
    """What `sh` does not know of a shell text, and who runs it; "" where it knows all."""
    word = "" if sh_is_bash() else shelltext.only_bash(text)
    return f"sh runs this and may not know {word}: give it to bash -c '…', or to a script run by bash" if word else ""


def sh_is_bash() -> bool:
    """Whether `sh` is a shell that knows more than POSIX asks for."""
    place = "/private/var/select/sh" if sys.platform == "darwin" else "/bin/sh"
    return os.path.basename(os.path.realpath(place)) in ("bash", "zsh", "ksh")


def _named(programs: Sequence[str]) -> str:
    return one_line(" and ".join(programs[:3]), 60)


def _scripts(root: Path, command: str) -> Iterator[tuple[str, str, bool]]:
    """The shell scripts that a command runs: name, text, and whether `sh` runs them."""
    listed, before = words(command), ""
    for word in listed:
        path = root / word
        if _SCRIPT.fullmatch(word) and path.is_file():
            text = path.read_bytes()[:_READ].decode("utf-8", "replace")
            first = text.split("\n", 1)[0] if text.startswith("#!") else ""
            runner = before.rpartition("/")[2]
            shell_name = runner if runner.endswith("sh") and runner != word else first
            yield one_line(word, 60), text, re.search(r"\b(?:ba|z|k)sh\b", shell_name) is None
        before = word if not word.startswith("-") else before


def _strict(text: str) -> bool:
    """Whether the first line of a script asks for `set -e`."""
    first = text.split("\n", 1)[0]
    return first.startswith("#!") and re.search(r"\s-\w*e", first) is not None


def builds(config: Config) -> str:
    """The build that stands between the sources and what is measured, "" where none is seen."""
    found = _BUILDERS.search(f"{config.prepare}\n{config.verify}")
    return found[1] if found else ""


def _last(command: str) -> list[str]:
    """The words of the last simple command, whose exit code is the check's."""
    last: list[str] = []
    for word in words(command):
        last = [] if SEPARATOR.fullmatch(word) else [*last, word]
    return last


def _ends_in_count(command: str) -> bool:
    """Whether a counting grep has the last word on the exit code; one inside `$(…)` has not."""
    last = _last(command)
    greps = not {"grep", "rg", "egrep", "fgrep"}.isdisjoint(last)
    return greps and any(re.fullmatch(r"-\w*c\w*|--count", word) for word in last)

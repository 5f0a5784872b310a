"""The package behind the `autoresearch_*.py` entry scripts.

Imported by an entry script it lets Ctrl-C end the process without a word, checks the interpreter and finds a place
for compiled modules. All happen here, before any other module is read, so this file must stay parseable by Python 3.6.
"""

import _signal  # type: ignore[import-not-found] # `signal` is made of it and imports more, which takes its time
import os
import sys

_OWN = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
# An entry script is at work, and the package is not used as a library.
_STARTED = os.path.dirname(os.path.realpath(getattr(sys.modules["__main__"], "__file__", None) or "/")) == _OWN
# Until a command notes signals itself, Ctrl-C ends it like any other signal: Python would tell of the line that it
# struck. A Ctrl-C that whoever started us has switched off (as for `&` in a script) stays switched off.
if _STARTED and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

__version__ = "0.2.0"

if sys.version_info < (3, 9):  # noqa: UP036 - a clear line instead of a SyntaxError deeper in
    sys.stderr.write(f"error: Python 3.9 or newer is needed, this is {sys.version.split()[0]}\n")
    sys.exit(1)


def _cache_folder() -> str:
    """Return a folder for compiled modules which only this user can fill, or "" where there is none.

    What lies there is executed later, so a place that another user owns or may write to (a shared temporary
    folder above all) is never taken: a planted file would run as us. Nor is anything created in a home that
    is not ours, as under sudo.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.environ.get("HOME", ""), ".cache")
    if not os.path.isabs(base):
        return ""
    place = base
    while not os.path.exists(place):
        place = os.path.dirname(place)
    info = os.stat(place)
    if info.st_uid != os.geteuid() or info.st_mode & 0o002:
        return ""
    folder = os.path.join(base, "codex-autoresearch", "pycache")
    os.makedirs(folder, 0o700, exist_ok=True)
    # Where nothing can be added, the interpreter's own caches of its library serve better.
    return folder if os.access(folder, os.W_OK) else ""


def _allow_bytecode() -> None:
    """Let Python keep compiled modules, outside the skill's folder; a failure only costs start-up time."""
    try:
        sys.pycache_prefix = sys.pycache_prefix or _cache_folder() or None
    except OSError:
        return
    sys.dont_write_bytecode = sys.pycache_prefix is None


def _forget_pythonpath() -> None:
    """Take what PYTHONPATH names out of the search: a project's `signal.py` must not stand in for the library's."""
    if not _STARTED or not os.environ.get("PYTHONPATH"):
        return
    try:
        foreign = {os.path.realpath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)}
    except FileNotFoundError:
        return  # the current folder is gone, which the command says in words
    sys.path[:] = [entry for entry in sys.path if entry == _OWN or os.path.realpath(entry) not in foreign]
    for name, module in list(sys.modules.items()):  # what the interpreter read while it started
        path = getattr(module, "__file__", None)
        if path and name != "__main__" and os.path.dirname(os.path.realpath(path)) in foreign - {_OWN}:
            del sys.modules[name]


_forget_pythonpath()
# True without the flag means that an entry script has set it. With the flag it is the user's wish (-B or
# PYTHONDONTWRITEBYTECODE); neither means that the package is used as a library, which changes no setting.
if sys.dont_write_bytecode and not sys.flags.dont_write_bytecode:
    _allow_bytecode()

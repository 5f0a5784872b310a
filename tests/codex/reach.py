"""An edit that tries to leave its sandbox: what it reports of each try, and a home that lets nobody in."""

from __future__ import annotations

from pathlib import Path

TRIES = ("outside", "home", "git", "another's", "socket")
REFUSED = [*(f"{what} refused" for what in TRIES), "inside DONE"]  # the first lines of what it prints in a sandbox
_PROGRAM = """\
import os, socket
def tried(what, act):
    try:
        act()
        print(what, "DONE")
    except OSError:
        print(what, "refused")
tried("outside", lambda: open("../outside", "w"))
tried("home", lambda: open(os.path.expanduser("~/.bashrc"), "w"))
tried("git", lambda: open(".git/planted", "w"))
tried("another's", lambda: open(OTHER).read())
tried("socket", lambda: socket.create_connection(("127.0.0.1", PORT), 2))
tried("inside", lambda: open("made", "w"))
open("made").close(); os.unlink("made")
"""


def locked_home(place: Path) -> Path:
    """A file in the home of somebody else, which lets nobody in until its mode is given back."""
    place.mkdir()
    (place / "secret").write_text("s")
    place.chmod(0)
    return place / "secret"


def program(port: int, other: Path, metric: str) -> str:
    """The edit: it tries everything, then prints the metric line."""
    return _PROGRAM.replace("PORT", str(port)).replace("OTHER", repr(str(other))) + f"print('METRIC {metric}')\n"

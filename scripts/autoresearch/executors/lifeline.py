"""A check on the far side of a connection ends with it: what `ssh` starts goes on when its client is gone."""

from __future__ import annotations

import shlex

# The group's leader is what the far side's server started. Once it has another parent the connection is gone, and the
# group is ended. The streams are closed, for a server waits until nobody holds them. Without ps(1) nothing is watched.
WATCH = """\
g=$(ps -o pgid= -p $$ 2> /dev/null | tr -d ' '); p=$(ps -o ppid= -p "$g" 2> /dev/null) || :
[ -z "$p" ] || {
(trap '' TERM; while [ "$(ps -o ppid= -p "$g")" = "$p" ]; do sleep 1; done
kill -s TERM -- "-$g"; sleep 5; kill -s KILL -- "-$g") < /dev/null > /dev/null 2>&1 & w=$!; }
"""
DONE = '[ -z "$w" ] || kill -KILL "$w" 2> /dev/null || :'


def held(command: str) -> str:
    """A shell command that ends when its connection does."""
    return f"w=\n{WATCH}/bin/sh -c {shlex.quote(command)}; c=$?; {DONE}; exit $c"

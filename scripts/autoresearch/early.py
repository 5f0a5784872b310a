"""Imported first by the entry scripts: until a command notes signals itself, Ctrl-C ends it like any other signal.

Python would tell of the line that it struck. A Ctrl-C that whoever started us has switched off stays switched off.
"""

import _signal  # type: ignore[import-not-found] # `signal` is made of it and imports more, which takes its time

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

"""Imported first by the entry scripts: until a command notes signals itself, Ctrl-C ends it like any other signal.

Python would tell of the line that it struck. A Ctrl-C that whoever started us has switched off stays switched off.
"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

"""A git that kills, or is killed, at a call of a command that is chosen."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

# A git that kills its caller at the n-th call: `after` it is done, or `locked`, as if it had died with its lock; or
# that is killed itself: `dead` before it has done anything, with its lock, or `dying` once it has done all.
WRAPPER = """\
#!/bin/sh
n=$(($(cat "$FAULT_COUNT") + 1))
echo $n > "$FAULT_COUNT"
if [ $n = "$FAULT_AT" ] && [ "$FAULT_WHEN" = locked ]; then touch .git/index.lock; kill -9 $PPID; exit 1; fi
if [ $n = "$FAULT_AT" ] && [ "$FAULT_WHEN" = dead ]; then touch .git/index.lock; kill -9 $$; fi
"$FAULT_GIT" "$@"
code=$?
if [ $n = "$FAULT_AT" ] && [ "$FAULT_WHEN" = dying ]; then kill -9 $$; fi
if [ $n = "$FAULT_AT" ] && [ "$FAULT_WHEN" = after ]; then kill -9 $PPID; fi
exit $code
"""


class Killer:
    """A PATH on which git counts its calls, and kills at one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "git").write_text(WRAPPER)
        (folder / "git").chmod(0o755)
        self.count = folder / "count"
        self.real = str(shutil.which("git"))

    def env(self, at: int, when: str) -> dict[str, str]:
        """The environment under which the call of git with this number is struck, before or after it."""
        self.count.write_text("0\n")
        path = os.pathsep.join([str(self.folder), os.environ["PATH"]])
        found = {"FAULT_COUNT": str(self.count), "FAULT_AT": str(at), "FAULT_WHEN": when, "FAULT_GIT": self.real}
        return {"PATH": path, **found}

    @staticmethod
    def struck(child: subprocess.Popen[bytes], at: int, total: int) -> bool:
        """Wait for a trial that was to be killed; of the last calls one or two are not made each time."""
        code = child.wait()
        assert code == -signal.SIGKILL or (code == 0 and at > total - 3), (at, total, code)
        return code != 0

#!/usr/bin/env python3
"""A plain agent with scripted sessions, for what is tested apart from the Codex CLI.

`STAND_IN` names a folder. `plan.json` in it is a list of sessions, the last one for all further ones; a session is a
list of steps: a shell command, `{"fail": text, "class": name, "after": seconds}` (ends the turn),
`{"context": tokens}`, `{"silent": seconds}` or `{"exit": code}`. Prompts and command lines are kept there as
`prompt-N.txt` and `argv-N.json`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

HOME = Path(os.environ["STAND_IN"])


def say(**told: object) -> None:
    print(json.dumps(told), flush=True)


def main() -> int:
    number = len(list(HOME.glob("prompt-*.txt"))) + 1
    (HOME / f"prompt-{number}.txt").write_text(sys.stdin.read())
    (HOME / f"argv-{number}.json").write_text(json.dumps(sys.argv[1:]))
    plan = json.loads((HOME / "plan.json").read_text())
    resumed = sys.argv[sys.argv.index("--resume") + 1] if "--resume" in sys.argv else ""
    say(thread=resumed or f"thread-{number}")
    for step in plan[min(number, len(plan)) - 1]:
        if isinstance(step, str):
            say(running=step)
            done = subprocess.run(["/bin/sh", "-c", step], capture_output=True, text=True)
            with open(HOME / "outputs.txt", "a") as file:
                file.write(f"$ {step}\n{done.stdout}{done.stderr}")
            say(running="")
        elif "fail" in step:
            say(failed=step["fail"], **{name: step[name] for name in ("class", "after") if name in step})
            return 1
        elif "context" in step:
            say(context=step["context"])
        elif "silent" in step:
            time.sleep(step["silent"])
        else:
            return int(step["exit"])
    say(tokens={"input": 100, "output": 10}, done=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

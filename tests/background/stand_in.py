#!/usr/bin/env python3
"""Stands in for the Codex CLI where the CLI itself is not what is tested: `exec --json` with scripted sessions.

`STAND_IN` names a folder. `plan.json` in it is a list of sessions, the last one for all further ones; a session is a
list of steps: a shell command, `{"fail": text}` (ends the turn), `{"silent": seconds}` or `{"exit": code}`. Prompts
and command lines are kept there as `prompt-N.txt` and `argv-N.json`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

HOME = Path(os.environ["STAND_IN"])


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)


def main() -> int:
    if "--version" in sys.argv:  # asked by whoever looks at the machine
        print("codex-cli 0.0.0")
        return 0
    number = len(list(HOME.glob("prompt-*.txt"))) + 1
    (HOME / f"prompt-{number}.txt").write_text(sys.stdin.read())
    (HOME / f"argv-{number}.json").write_text(json.dumps(sys.argv[1:]))
    plan = json.loads((HOME / "plan.json").read_text())
    say(type="thread.started", thread_id=f"thread-{number}")
    say(type="turn.started")
    for step in plan[min(number, len(plan)) - 1]:
        if isinstance(step, str):
            item = {"id": "item_1", "type": "command_execution", "command": step}
            say(type="item.started", item=item)
            done = subprocess.run(["/bin/sh", "-c", step], capture_output=True, text=True)
            with open(HOME / "outputs.txt", "a") as file:
                file.write(f"$ {step}\n{done.stdout}{done.stderr}")
            say(type="item.completed", item={**item, "exit_code": done.returncode, "status": "completed"})
        elif "fail" in step:
            say(type="turn.failed", error={"message": step["fail"]})
            return 1
        elif "silent" in step:
            time.sleep(step["silent"])
        else:
            return int(step["exit"])
    say(type="turn.completed", usage={"input_tokens": 100, "cached_input_tokens": 0, "output_tokens": 10})
    return 0


if __name__ == "__main__":
    sys.exit(main())

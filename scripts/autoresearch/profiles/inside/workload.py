"""Repeats one Python call for some seconds of processor time, to be profiled. argv[1] is JSON: setup, code, seconds."""

import json
import os
import sys
import time

ask = json.loads(sys.argv[1])
sys.path.insert(0, os.getcwd())
space = {"__name__": "__call__"}
exec(compile(ask["setup"], "<setup>", "exec"), space)
code = compile(ask["code"], "<call>", "exec")
end = time.process_time() + ask["seconds"]
while True:
    exec(code, space)
    if time.process_time() >= end:
        break

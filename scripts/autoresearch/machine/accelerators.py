"""Which accelerators the machine has: NVIDIA, Ascend, ROCm, Apple."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

from ..kernel.system.ask import ask_all
from .limits import slurp

_QUESTIONS = {
    "nvidia": ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"),
    "ascend": ("npu-smi", "info"),
    "rocm": ("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json"),
}
_APPLE = ("system_profiler", "SPDisplaysDataType", "-json")
_LIMIT = 3.0  # seconds; a driver that hangs must not hold up a run
_NPU = re.compile(r"^\|\s*\d+\s+(\S*\d\S*)\s*\|\s*(?:OK|Warning|Alarm|Critical)", re.M)
_MIB = 1024 * 1024

Device = tuple[str, str, Optional[int]]  # kind, name, memory in MiB


def accelerators(root: Path = Path("/")) -> list[dict[str, Any]]:
    """One entry for each kind, name and memory size, with its count; `root` is where /proc and /sys lie."""
    questions = {**_QUESTIONS, "apple": _APPLE} if sys.platform == "darwin" else _QUESTIONS
    said = ask_all(questions, _LIMIT)
    devices = [
        *(nvidia(said["nvidia"]) if "nvidia" in said else _nvidia_files(root)),
        *ascend(said.get("ascend", "")),
        *(rocm(said["rocm"]) if "rocm" in said else _kfd_files(root)),
        *apple(said.get("apple", "")),
    ]
    return [
        {"kind": d[0], "name": _clean(d[1]), "count": devices.count(d), "memory_mb": d[2]}
        for d in dict.fromkeys(devices)
    ]


def nvidia(text: str) -> Iterator[Device]:
    """Devices in nvidia-smi's `name, MiB` lines."""
    for line in text.splitlines():
        name, comma, memory = line.rpartition(",")
        if comma:
            yield "nvidia", name.strip(), _number(memory)


def ascend(text: str) -> Iterator[Device]:
    """Devices in the table of `npu-smi info`, which gives memory in a form that differs by model."""
    for match in _NPU.finditer(text):
        yield "ascend", match.group(1), None


def rocm(text: str) -> Iterator[Device]:
    """Devices in rocm-smi's JSON, whose keys change their case between versions."""
    for card, raw in sorted(_object(text).items()):
        if card.startswith("card") and isinstance(raw, dict):
            fields = {str(key).lower(): str(value) for key, value in raw.items()}
            size = _number(fields.get("vram total memory (b)", ""))
            yield "rocm", fields.get("card series", "AMD GPU"), None if size is None else size // _MIB


def apple(text: str) -> Iterator[Device]:
    """Devices in system_profiler's JSON; their memory is the machine's."""
    entries = _object(text).get("SPDisplaysDataType", [])
    for entry in entries if isinstance(entries, list) else []:
        name = entry.get("sppci_model", "") if isinstance(entry, dict) else ""
        if str(name).startswith("Apple"):
            yield "apple", str(name), None


def _nvidia_files(root: Path) -> Iterator[Device]:
    for path in sorted(root.glob("proc/driver/nvidia/gpus/*/information")):
        match = re.search(r"^Model:\s*(.+)$", slurp(path), re.M)
        yield "nvidia", match.group(1).strip() if match else "NVIDIA GPU", None


def _kfd_files(root: Path) -> Iterator[Device]:
    """Nodes of the kernel's ROCm topology that have SIMD units; the others are CPUs."""
    for node in sorted(root.glob("sys/class/kfd/kfd/topology/nodes/*")):
        simd = re.search(r"^simd_count (\d+)$", slurp(node / "properties"), re.M)
        if simd and int(simd.group(1)):
            size = re.search(r"^size_in_bytes (\d+)$", slurp(node / "mem_banks/0/properties"), re.M)
            name = slurp(node / "name").strip() or "AMD GPU"
            yield "rocm", name, int(size.group(1)) // _MIB if size else None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:80]

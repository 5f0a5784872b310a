"""How much of the machine this process may use: CPUs, memory, disk, container."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..kernel.disk import atomic

free_mb = atomic.free_mb
_MIB = 1024 * 1024
_SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
_UNLIMITED = 1 << 60  # cgroup v1 writes "no limit" as a huge number


def cpu_count(root: Path = Path("/")) -> int:
    """CPUs by affinity and cgroup quota, at least 1; `root` is where /proc and /sys lie."""
    allowed = _Kept.of or (len(processors()) or os.cpu_count() or 1)
    quotas = [quota for folder in _cgroups(root, "cpu") if (quota := _quota(folder)) is not None]
    return max(1, min([allowed, *quotas]))


def processors() -> tuple[int, ...]:
    """The processors that this process may use, those of one core side by side; () where the system does not tell."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    cores = {cpu: slurp(Path(_SIBLINGS.format(cpu))).strip() or str(cpu) for cpu in os.sched_getaffinity(0)}
    return tuple(sorted(cores, key=lambda cpu: (_first_of(cores[cpu]), cpu)))


def _first_of(siblings: str) -> int:
    """The lowest of `0,4` or `0-1`."""
    return int(siblings.replace("-", ",").partition(",")[0])


class _Kept:
    """How many processors this process had before it was kept to some of them; the machine's load is shared by all."""

    of = 0


@contextmanager
def kept_to(cpus: Collection[int]) -> Iterator[None]:
    """Keep this process and what it starts to these processors for the block; to all of them for none."""
    if not cpus:
        yield
        return
    before, _Kept.of = os.sched_getaffinity(0), cpu_count()
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        _Kept.of = 0


def memory_mb(root: Path = Path("/")) -> tuple[int, int | None]:
    """Total and available memory in MiB within the cgroup's limit; available is None when unknown."""
    info = dict(line.split(":", 1) for line in slurp(root / "proc/meminfo").splitlines() if ":" in line)
    if "MemTotal" not in info:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MIB, None
    total, free = (int(info[key].split()[0]) // 1024 for key in ("MemTotal", "MemAvailable"))
    for folder in _cgroups(root, "memory"):
        limit = _first(folder, "memory.max", "memory.limit_in_bytes")
        used = _first(folder, "memory.current", "memory.usage_in_bytes")
        if limit is not None and limit < _UNLIMITED:
            total = min(total, limit // _MIB)
            free = min(free, max(0, limit - (used or 0)) // _MIB)
    return total, free


def container(root: Path = Path("/")) -> str:
    """docker, podman, kubernetes, or none."""
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return "kubernetes"
    if (root / "run/.containerenv").exists():
        return "podman"
    if (root / ".dockerenv").exists():
        return "docker"
    text = slurp(root / "proc/1/cgroup")
    signs = (("kubepods", "kubernetes"), ("libpod", "podman"), ("docker", "docker"))
    return next((name for sign, name in signs if sign in text), "none")


def _cgroups(root: Path, controller: str) -> list[Path]:
    """The cgroup folders from ours up to the top: a limit at any level holds."""
    base = root / "sys/fs/cgroup"
    for line in slurp(root / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        top = base / names.split(",")[0] if names else base
        if names and (base / controller).is_dir():
            top = base / controller
        own = top / path.lstrip("/")
        return [own, *(p for p in own.parents if p == top or top in p.parents)]
    return []


def _quota(folder: Path) -> int | None:
    """CPUs that the cgroup's quota amounts to, rounded up; None without one."""
    text = slurp(folder / "cpu.max") or " ".join(
        (slurp(folder / "cpu.cfs_quota_us"), slurp(folder / "cpu.cfs_period_us"))
    )
    parts = text.split()
    if len(parts) != 2 or not parts[0].isdecimal() or int(parts[1]) <= 0:
        return None
    return -(-int(parts[0]) // int(parts[1]))


def throttled(root: Path = Path("/")) -> float | None:
    """Seconds for which our cgroup's quota was used up (v1 counts nanoseconds); None without one."""
    for folder in _cgroups(root, "cpu"):
        lines = (line.split() for line in slurp(folder / "cpu.stat").splitlines())
        found = {parts[0]: int(parts[1]) for parts in lines if len(parts) == 2 and parts[1].isdecimal()}
        if "throttled_usec" in found:
            return found["throttled_usec"] / 1e6
        if "throttled_time" in found:
            return found["throttled_time"] / 1e9
    return None


def _first(folder: Path, *names: str) -> int | None:
    texts = (slurp(folder / name).strip() for name in names)
    return next((int(text) for text in texts if text.isdecimal()), None)


def slurp(path: Path) -> str:
    """The text of a small file, "" where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

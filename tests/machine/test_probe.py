from __future__ import annotations

import json
import os
import time
from types import SimpleNamespace

import pytest
from autoresearch.kernel.system import ask
from autoresearch.machine import accelerators, limits, probe


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def fake(folder, name, body):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n" + body)
    (folder / name).chmod(0o755)


def test_environment_is_json_and_sums_up(repo, monkeypatch):
    monkeypatch.setenv("CODEX_SANDBOX_NETWORK_DISABLED", "1")
    env = json.loads(json.dumps(probe.environment(repo.path, True)))
    assert env["cpu_count"] >= 1 and env["ram_mb"] > 0 and env["sandbox"]["git_writable"] is True
    assert env["network"] == {"policy": "disabled by the sandbox", "search_allowed": False}
    assert probe.summary(env).startswith(f"cpu={env['cpu_count']} ram={env['ram_mb']}MB gpu=")


def test_summary_names_devices_without_spaces():
    env = {
        "cpu_count": 8,
        "ram_mb": 16384,
        "python": "3.11.7",
        "container": "docker",
        "accelerators": [{"name": "NVIDIA A100 80GB", "count": 2}],
    }
    assert probe.summary(env) == "cpu=8 ram=16384MB gpu=2xNVIDIA-A100-80GB python=3.11 container=docker"
    assert " gpu=none " in probe.summary({**env, "accelerators": []})


def test_a_program_that_hangs_fails_or_floods_is_left_out(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    fake(tools, "hangs", "sleep 7171 & sleep 7172")
    fake(tools, "fails", "echo 1.0; exit 1")
    fake(tools, "floods", "yes")
    fake(tools, "speaks", "echo 'v 1.2' >&2")
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    clock, answer = SimpleNamespace(sleep=time.sleep, monotonic=time.monotonic), ask._answer

    def patient(child, deadline):
        """The time is over as soon as it is the turn of one that never ends."""
        if child.args[0].endswith(("hangs", "floods")):
            clock.monotonic = lambda: deadline
        return answer(child, deadline)

    monkeypatch.setattr(ask, "time", clock)
    monkeypatch.setattr(ask, "_answer", patient)
    names = ("fails", "speaks", "hangs", "floods", "missing")
    assert ask.ask_all({name: (name,) for name in names}, 3000) == {"speaks": "v 1.2"}


def test_devices_are_counted_by_kind_name_and_memory(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    fake(tools, "nvidia-smi", "printf 'NVIDIA A100, 81920\\nNVIDIA A100, 81920\\nNVIDIA T4, 15360\\n'")
    card = {"card0": {"Card Series": "MI250", "VRAM Total Memory (B)": str(64 << 30)}, "system": {}}
    fake(tools, "rocm-smi", f"echo '{json.dumps(card)}'")
    fake(tools, "npu-smi", "cat <<'E'\n| NPU   Name  | Health | Power |\n| 0     910B3 | OK     | 93.6  |\nE")
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    found = [(d["kind"], d["name"], d["count"], d["memory_mb"]) for d in accelerators.accelerators(tmp_path)]
    assert found == [
        ("nvidia", "NVIDIA A100", 2, 81920),
        ("nvidia", "NVIDIA T4", 1, 15360),
        ("ascend", "910B3", 1, None),
        ("rocm", "MI250", 1, 65536),
    ]


def test_devices_are_found_in_files_when_no_program_tells(tmp_path, monkeypatch):
    nodes = "sys/class/kfd/kfd/topology/nodes"
    write(
        tmp_path,
        {
            "proc/driver/nvidia/gpus/0000:01/information": "Model: \t\t NVIDIA L4\nIRQ: 1\n",
            f"{nodes}/0/properties": "simd_count 0\n",
            f"{nodes}/1/properties": "simd_count 256\n",
            f"{nodes}/1/name": "gfx90a\n",
            f"{nodes}/1/mem_banks/0/properties": "heap_type 1\nsize_in_bytes 1073741824\n",
        },
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    found = [(d["kind"], d["name"], d["memory_mb"]) for d in accelerators.accelerators(tmp_path)]
    assert found == [("nvidia", "NVIDIA L4", None), ("rocm", "gfx90a", 1024)]
    assert list(accelerators.apple('{"SPDisplaysDataType": [{"sppci_model": "Apple M1"}]}')) == [
        ("apple", "Apple M1", None)
    ]


@pytest.mark.parametrize(
    "files",
    [
        {
            "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/cpu.max": "100000 100000\n",
            "sys/fs/cgroup/a/b/memory.max": "max\n",
            "sys/fs/cgroup/a/memory.max": str(512 << 20),
            "sys/fs/cgroup/a/memory.current": str(112 << 20),
        },
        {
            "proc/self/cgroup": "3:memory:/\n2:cpu,cpuacct:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": str(512 << 20),
            "sys/fs/cgroup/memory/memory.usage_in_bytes": str(112 << 20),
        },
    ],
)
def test_cgroup_limits_hold_at_any_level_in_both_versions(tmp_path, files):
    write(tmp_path, {**files, "proc/meminfo": "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n"})
    assert limits.cpu_count(tmp_path) == 1
    assert limits.memory_mb(tmp_path) == (512, 400)


def test_container_by_its_marks(tmp_path, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert limits.container(tmp_path) == "none"
    write(tmp_path, {"proc/1/cgroup": "0::/kubepods/pod1\n"})
    assert limits.container(tmp_path) == "kubernetes"
    write(tmp_path, {".dockerenv": ""})
    assert limits.container(tmp_path) == "docker"
    write(tmp_path, {"run/.containerenv": ""})
    assert limits.container(tmp_path) == "podman"


@pytest.mark.parametrize("home", [".", "below", "../beside"])
def test_no_tool_is_asked_that_could_write_into_the_repository_as_its_home(tmp_path, monkeypatch, home):
    root = tmp_path / "root"
    tool = tmp_path / "bin" / "cargo"
    (root / home).mkdir(parents=True, exist_ok=True)
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n: > $HOME/.rustup\necho cargo 1.0\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(root / home))
    known = probe.environment(root, network=False)
    outside = home == "../beside"
    assert (root / home / ".rustup").exists() == outside == ("cargo" in known["toolchains"])

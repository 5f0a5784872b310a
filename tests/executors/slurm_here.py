"""A real Slurm on one host: munge, one controller, several nodes that are one `slurmd` each, all in one folder.

Each node has one core and two devices that stand in for accelerators.

    python3 tests/executors/slurm_here.py FOLDER NODES    starts it and prints the variables to set; Enter ends it

Needs root and Debian's slurm-wlm and munge (`missing` says what lacks). Nothing outside FOLDER is touched.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "salloc", "scancel", "squeue", "scontrol")

CONF = """\
ClusterName=here
GresTypes=gpu
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=4
KillWait=2
MinJobAge=300
SchedulerParameters=sched_interval=2,batch_sched_delay=0
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE OverTimeLimit=0 State=UP
"""


def missing() -> str:
    """What lacks for a Slurm here, "" for nothing; in CI it is never started."""
    if os.environ.get("CI"):
        return "a Slurm is never started in CI"
    if os.name != "posix" or os.geteuid() != 0:
        return "starting a Slurm needs root"
    lacking = [name for name in PROGRAMS if not shutil.which(name, path=_path())]
    return f"not installed: {', '.join(lacking)} (apt-get install slurm-wlm munge)" if lacking else ""


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Slurm:
    """One Slurm in a folder; `environment` is what its clients need."""

    def __init__(self, folder: Path, nodes: int) -> None:
        """Write the configuration; nothing runs yet."""
        self.folder, self.names = folder, [f"n{number}" for number in range(1, nodes + 1)]
        self.environment = {**os.environ, "PATH": _path(), "SLURM_CONF": str(folder / "slurm.conf")}
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "state").mkdir(parents=True)
        for name in self.names:
            (folder / f"spool.{name}").mkdir()
        key = folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        lines = [
            f"NodeName={n} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 Port={_free_port()} CPUs=1"
            " Gres=gpu:2 State=UNKNOWN"
            for n in self.names
        ]
        text = CONF.format(host=socket.gethostname(), port=_free_port(), folder=folder, nodes="\n".join(lines))
        (folder / "slurm.conf").write_text(text)
        for number in range(2):  # stand in for accelerators: nobody opens them
            os.mknod(folder / f"gpu{number}", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        gres = [f"NodeName={name} Name=gpu File={folder}/gpu[0-1]\n" for name in self.names]
        (folder / "gres.conf").write_text("".join(gres))

    def __enter__(self) -> Slurm:
        """Start everything and wait until all nodes are idle."""
        self._start(
            "munged",
            "munged",
            "--foreground",
            "--force",
            f"--key-file={self.folder}/munge.key",
            f"--socket={self.folder}/munge.sock",
            f"--pid-file={self.folder}/munged.pid",
            f"--log-file={self.folder}/munged.log",
            f"--seed-file={self.folder}/munge.seed",
        )
        self._until(lambda: (self.folder / "munge.sock").exists(), "munge")
        self.start_controller()
        for name in self.names:
            self.start_node(name)
        self._until(lambda: self.ask("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == str(len(self.names)), "nodes")
        return self

    def __exit__(self, *error: object) -> None:
        """End everything."""
        self.ask("scancel", "--user=root")
        for name in reversed(list(self.children)):
            self.end(name)

    def _start(self, name: str, *command: str) -> None:
        with open(self.folder / f"{name}.out", "ab") as out:
            self.children[name] = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    def start_controller(self) -> None:
        """Start the controller."""
        self._start("slurmctld", "slurmctld", "-D", "-f", str(self.folder / "slurm.conf"))
        self._until(lambda: "UP" in self.ask("scontrol", "ping"), "controller")

    def start_node(self, name: str) -> None:
        """Start a node."""
        self._start(name, "slurmd", "-D", "-N", name, "-f", str(self.folder / "slurm.conf"))

    def end(self, name: str, kill: bool = False) -> None:
        """End one of the programs that were started here; `kill` leaves it no time."""
        child = self.children.pop(name)
        child.kill() if kill else child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def ask(self, *command: str) -> str:
        """What a client prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def jobs(self) -> list[str]:
        """The jobs that wait or run: id, name, state, node."""
        return self.ask("squeue", "-h", "-o", "%i %j %T %N").split("\n")[:-1]

    def _until(self, there: object, what: str) -> None:
        until = time.monotonic() + 300
        while not there():  # type: ignore[operator]
            if time.monotonic() > until:
                raise RuntimeError(f"{what} did not come up; see {self.folder}")
            time.sleep(0.2)


if __name__ == "__main__":
    with Slurm(Path(sys.argv[1]).absolute(), int(sys.argv[2])) as slurm:
        print(f"export SLURM_CONF={slurm.environment['SLURM_CONF']} PATH=$PATH:/usr/sbin", flush=True)
        sys.stdin.readline()

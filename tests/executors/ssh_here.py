"""A real `sshd` on loopback in one folder: a port, keys and a home of its own. Nothing outside the folder is touched.

Needs Debian's openssh-server and openssh-client (`missing` says what lacks).
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/me.pub
PidFile none
PasswordAuthentication no
StrictModes no
SetEnv HOME={folder}/home
"""
CLIENT = """\
Host box
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/me
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  BatchMode yes
"""
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def missing() -> str:
    """What lacks for a server here, "" for nothing."""
    lacking = [name for name in ("sshd", "ssh", "ssh-keygen") if not shutil.which(name, path=_PATH)]
    return f"not installed: {', '.join(lacking)} (apt-get install openssh-server)" if lacking else ""


class Sshd:
    """One server; `client` is the command that reaches it, `home` where its sessions find themselves at home."""

    def __init__(self, folder: Path) -> None:
        """Make keys and settings; nothing runs yet."""
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            told = {"port": probe.getsockname()[1], "folder": folder, "user": getpass.getuser()}
        for name, text in (("sshd.conf", SERVER), ("ssh.conf", CLIENT)):
            (folder / name).write_text(text.format(**told))
        for name in ("host", "me"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        self.client = f"ssh -F {folder}/ssh.conf"

    def __enter__(self) -> Sshd:
        """Start it and wait until it lets us in."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # its own rule for root; empty
        program = str(shutil.which("sshd", path=_PATH))
        self.log = open(self.folder / "log", "ab")
        self.child = subprocess.Popen(
            [program, "-D", "-e", "-f", str(self.folder / "sshd.conf")], stdin=-3, stdout=self.log, stderr=self.log
        )
        until = time.monotonic() + 60
        while subprocess.run([*self.client.split(), "box", "true"], capture_output=True, check=False).returncode:
            if time.monotonic() > until:
                raise RuntimeError(f"sshd did not come up: {(self.folder / 'log').read_text()}")
            time.sleep(0.1)
        return self

    def __exit__(self, *error: object) -> None:
        """End it; sessions that it has begun end by themselves."""
        self.child.terminate()
        self.child.wait()
        self.log.close()

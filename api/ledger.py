"""The ledger of running parts: a killed Mezha leaves orphans, and the next start must end them, not stumble over them."""

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from geo.errors import SettingsError

# What our own processes show in their command line: parts are forks of the command, by either of its names.
MARKS = (b"mezha", b"api.cli")


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _ours(pid: int) -> bool:
    command = _command(pid)
    return any(mark in command for mark in MARKS)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return False
    return bool(state) and state[0] != "Z"


def _members(group: int) -> list[int]:
    """Our processes of a process group; a number that was given to somebody else's process is not ours."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        pid = int(entry.name)
        try:
            if os.getpgid(pid) == group and _ours(pid) and _alive(pid):
                found.append(pid)
        except OSError:
            continue
    return found


@dataclass(frozen=True)
class Ledger:
    """A file that names the supervisor and the process groups of its parts."""

    path: Path

    def claim(self) -> None:
        """Become the supervisor: end the orphans of a killed one; SettingsError where one still runs."""
        if self.path.exists():
            entry = json.loads(self.path.read_text("utf-8") or "{}")
            supervisor = int(entry.get("supervisor", 0))
            if supervisor != os.getpid() and _alive(supervisor) and _ours(supervisor):
                raise SettingsError(
                    f"Mezha runs already in this folder (process {supervisor}).", "Stop it with Ctrl-C first."
                )
            for group in entry.get("groups", []):
                self._end(int(group))
        self._write([])

    def add(self, group: int) -> None:
        """Note a part's process group."""
        entry = json.loads(self.path.read_text("utf-8"))
        self._write([*entry["groups"], group])

    def close(self) -> None:
        """Everything has ended."""
        self.path.unlink(missing_ok=True)

    def _write(self, groups: list[int]) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"supervisor": os.getpid(), "groups": groups}), "utf-8")
        fresh.replace(self.path)

    @staticmethod
    def _end(group: int) -> None:
        for _ in range(50):
            members = _members(group)
            if not members:
                return
            for pid in members:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)

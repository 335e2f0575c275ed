"""A process that is killed at a chosen write: at each open, write, fsync, rename and removal.

The system's calls of Python are replaced in one process, and those that change a folder are
counted. At a chosen number the process kills itself with SIGKILL, as the system would: before the
call, or, where bytes are written, after half of them.
"""

import builtins
import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

WRITES = {"open", "mkdir", "rmdir", "remove", "rename", "truncate"}
"""Python's audit events that change a folder, without their prefix "os."."""


class Killer:
    """Counts the changes of a folder, and kills this process at one of them.

    Args:
        folder: The folder; changes elsewhere do not count.
        ignore: How the names of files begin that do not count.
        at: The number of the change to be killed at, from 1; 0 only counts.
        log: A file that gets a line for each change.
    """

    def __init__(self, folder: Path, *, ignore: str, at: int, log: Path) -> None:
        self.root = str(folder.resolve())
        self.ignore = ignore
        self.at = at
        self.count = 0
        self.process = os.getpid()
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def install(self) -> None:
        """Replace the calls, for the rest of this process."""
        sys.addaudithook(self._audit)
        real_open, real_fsync, killer = io.open, os.fsync, self

        class Raw(io.FileIO):
            """A file whose writes are counted."""

            def write(self, data: Any) -> int:
                view = memoryview(data).cast("B")
                path = killer.path_of(self.fileno())
                if killer.is_due("write", path):
                    super().write(view[: len(view) // 2])
                    killer.kill()
                return super().write(view) or 0

        def counted(
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,
            opener: Any = None,
        ) -> Any:
            path = killer.path_of(file) if isinstance(file, int) else os.fsdecode(file)
            if not set(mode) & set("wax+") or buffering != -1 or not killer.is_inside(path):
                return real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
            raw = Raw(file, mode.replace("b", "").replace("t", ""), closefd, opener)
            buffer = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            if "b" in mode:
                return buffer
            return io.TextIOWrapper(buffer, encoding, errors, newline)

        def fsync(file: Any) -> None:
            number = file if isinstance(file, int) else file.fileno()
            if killer.is_due("fsync", killer.path_of(number)):
                killer.kill()
            real_fsync(file)

        builtins.open = io.open = counted  # type: ignore[assignment]
        os.fsync = fsync

    def path_of(self, number: int) -> str:
        """The path of an open file."""
        try:
            return os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            return ""

    def is_inside(self, path: str) -> bool:
        """Whether a path's changes count."""
        whole = os.path.join(os.getcwd(), path)
        inside = whole == self.root or whole.startswith(self.root + os.sep)
        return inside and not os.path.basename(whole).startswith(self.ignore)

    def is_due(self, what: str, path: str) -> bool:
        """Count a change, and return whether to be killed at it; forked processes do not count."""
        if os.getpid() != self.process or not self.is_inside(path):
            return False
        self.count += 1
        told = path.removeprefix(self.root + os.sep)
        os.write(self.log, f"{self.count} {what} {told}\n".encode())
        return self.count == self.at

    def kill(self) -> None:
        """Kill this process."""
        os.kill(os.getpid(), signal.SIGKILL)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        name = event.removeprefix("os.")
        if name not in WRITES or not isinstance(arguments[0], (str, bytes, os.PathLike)):
            return
        if name == "open" and not self._is_write(arguments):
            return
        if name == "mkdir" and os.path.isdir(arguments[0]):
            return  # it will not be made
        if self.is_due(name, os.fsdecode(arguments[0])):
            self.kill()

    @staticmethod
    def _is_write(arguments: tuple[Any, ...]) -> bool:
        flags = arguments[2] or 0
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))

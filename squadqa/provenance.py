"""The commit of the code and the machine that a measurement was made with; and no path of it."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

ABSOLUTE = re.compile(r"(?<![^\s\"'=:,;(\[])~?/(?!/)(?:[^\s/\"',;]+/)*")
"""The folders at the begin of an absolute path in a text."""


def commit(folder: str | Path | None = None) -> str:
    """Return the commit that a folder's files belong to.

    Args:
        folder: A folder of a git working tree; None takes this package's folder.

    Returns:
        The commit's hash, followed by "-dirty" if tracked files differ from it; "unknown" if git
        tracks none of the folder's files, as for an installed package.
    """
    git = ["git", "--no-optional-locks", "-C", str(folder or Path(__file__).parent)]

    def answer(*command: str) -> str:
        return subprocess.run([*git, *command], check=True, capture_output=True, text=True).stdout

    try:
        answer("ls-files", "--error-unmatch", ".")  # else the folder may lie in another repository
        head, changes = answer("rev-parse", "HEAD"), answer("status", "--porcelain", "-uno")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.strip() + ("-dirty" if changes else "")


def without_folders(value: Any) -> Any:
    """Leave out the folders of absolute paths, which are those of one machine.

    Args:
        value: A plain value, nested ones included. A text may also be a path after its kind, such
            as "spacy:" and a folder.

    Returns:
        The value; of a path, its last part alone.
    """
    if isinstance(value, dict):
        return {key: without_folders(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(without_folders, value))
    if not isinstance(value, str):
        return value
    kind, colon, rest = value.rpartition(":")
    is_path = rest.startswith(("/", "~/")) and not rest.startswith("//")
    if is_path and ", " not in rest:
        return f"{kind}{colon}{Path(rest).name}"
    return ABSOLUTE.sub("", value)


def usable_cores() -> int:
    """Count the processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # outside Linux
        return os.cpu_count() or 1


def hardware() -> str:
    """Describe this machine: CPU model, cores that this process may use, memory in GiB."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    cpu = found[1] if found else platform.processor() or platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {usable_cores()} cores, {memory:.0f} GiB"

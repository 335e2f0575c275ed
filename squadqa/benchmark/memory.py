"""The most memory that this process held since some moment."""

import re
import resource
from contextlib import suppress
from pathlib import Path

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"
"""What Linux resets the peak at: see proc(5)."""


def forget_peak() -> None:
    """Start again with what the process holds now; outside Linux nothing is forgotten."""
    with suppress(OSError):
        RESET.write_text(RESET_PEAK, encoding="ascii")


def peak_gib() -> float:
    """Return the most memory of the process since `forget_peak`, in GiB."""
    with suppress(OSError):
        if found := re.search(r"^VmHWM:\s*(\d+) kB", STATUS.read_text(encoding="ascii"), re.M):
            return int(found[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

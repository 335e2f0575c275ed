"""The number of this process in a training."""

import os

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")
"""Variables in which Lightning, torchrun and schedulers number processes, from 0."""


def is_first_process() -> bool:
    """Return whether this is the only or the first process, the one that writes and prints.

    Lightning notes the number when its modules are imported, so a process that was forked later
    would take itself for the first one. The environment is always up to date.
    """
    return all(int(os.environ.get(name) or 0) == 0 for name in RANKS)

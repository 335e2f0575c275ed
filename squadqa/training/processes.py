"""Which of a training's processes this one is."""

import os

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")
"""Variables by which Lightning, torchrun and schedulers number processes, the first one 0."""


def is_first_process() -> bool:
    """Tell whether this is the only or the first process, the one that writes and speaks.

    Lightning's own note of it is made when its modules are imported, so that a process that was
    forked later would take itself for the first; the environment is always up to date.
    """
    return all(int(os.environ.get(name) or 0) == 0 for name in RANKS)

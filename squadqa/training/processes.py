"""The number of this process in a training."""

import os

from squadqa.errors import ConfigError

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")
"""Variables in which Lightning, torchrun and schedulers number processes, from 0."""


def is_first_process() -> bool:
    """Return whether this is the only or the first process, the one that writes and prints.

    Lightning notes the number when its modules are imported, so a process that was forked later
    would take itself for the first one. The environment is always up to date.
    """
    return all(int(os.environ.get(name) or 0) == 0 for name in RANKS)


def require_ranks() -> None:
    """Check the variables that number processes, which Lightning reads when it is imported.

    Raises:
        ConfigError: One is no whole number.
    """
    for name in RANKS:
        value = os.environ.get(name, "0")
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise ConfigError(
                f'the environment variable {name} is "{value}"',
                hint="It numbers the processes of a training, from 0.",
                next_step=f"Unset it (unset {name}), or start the training by torchrun.",
            )

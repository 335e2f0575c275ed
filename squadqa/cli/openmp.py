"""How the threads of OpenMP, which torch computes with on a CPU, wait for each other."""

from collections.abc import MutableMapping

BRIEF_WAITS = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "1"}
"""GNU's library: turns of a waiting thread's loop before it sleeps. Intel's and LLVM's:
milliseconds."""

CHOSEN_BY = ("OMP_WAIT_POLICY", *BRIEF_WAITS)
"""Variables by which a user chooses otherwise."""


def wait_briefly(environment: MutableMapping[str, str]) -> None:
    """Let threads of OpenMP sleep soon when they wait, unless the user has chosen otherwise.

    By default they spin for so long that another program on one of two cores makes a training four
    times slower. Not to spin at all would make it slower on a quiet machine.

    Args:
        environment: The environment; the libraries read it when torch is loaded, not later.
    """
    if not any(name in environment for name in CHOSEN_BY):
        environment.update(BRIEF_WAITS)

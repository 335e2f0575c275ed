"""What a run folder may name besides classes, and what needs the user's word.

A run folder may come from anyone. So these need `--trust NAME` or `trust=["NAME"]`: a spaCy
pipeline that is not one of spaCy's own, and a data set from the network other than SQuAD. A cache
folder that the run names is used only if it is one already, and the user's.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from squadqa.errors import UntrustedError

if TYPE_CHECKING:
    from squadqa.data.inputs import Inputs
    from squadqa.data.squad import Source

CACHE_ENTRY = re.compile(r"[a-z]+-[0-9a-f]{24}")
"""Names of the folders in a cache (see `squadqa.data.cache`)."""


def is_trusted(name: str, trust: Sequence[str]) -> bool:
    """Return whether the user trusts a name: itself, or a package or module that it is in.

    Args:
        name: Such as "mine.readers.Mine", or a path.
        trust: What the user named.
    """
    return any(f"{name}.".startswith(f"{one}.") for one in trust if one)


def untrusted(config: Path, key: str, name: str, *, hint: str) -> UntrustedError:
    """Make the error for a name that needs the user's word.

    Args:
        config: The run's configuration.
        key: Where it names it.
        name: The name.
        hint: Why it needs the user's word.
    """
    return UntrustedError(
        f'"{config}" names "{name}" at {key}: nothing of it was opened or run',
        name=name,
        hint=hint,
    )


def require_inputs(inputs: "Inputs", config: Path, *, trust: Sequence[str]) -> None:
    """Check the pipeline and the word vectors of a run's inputs.

    Word vectors are parsed as numbers, so a file of them may lie anywhere.

    Args:
        inputs: The inputs.
        config: The run's configuration.
        trust: What the user trusts.

    Raises:
        UntrustedError: A pipeline is neither one of spaCy's own nor trusted.
    """
    from squadqa.data.pipelines import is_official

    pipelines = [("pipeline", inputs.pipeline)]
    for source in inputs.vectors:
        kind, _, name = str(source).partition(":")
        if kind == "spacy" and not name.isidentifier():  # a folder, not an installed package
            pipelines.append(("vectors", name))
    for key, named in pipelines:
        if named is not None and not is_official(named) and not is_trusted(str(named), trust):
            raise untrusted(
                config,
                f"data.inputs.init_args.{key}",
                str(named),
                hint="It is not one of spaCy's own pipelines, and a pipeline's files choose what "
                "is called.",
            )


def require_source(source: "Source", key: str, config: Path, *, trust: Sequence[str]) -> None:
    """Check the questions that a run names, before they are looked for.

    Args:
        source: The questions.
        key: Where the configuration names them.
        config: The run's configuration.
        trust: What the user trusts.

    Raises:
        UntrustedError: They are a data set from the network, not SQuAD and not trusted.
    """
    from squadqa.data.squad.source import SQUAD

    if source.path is None and source.name != SQUAD and not is_trusted(source.name, trust):
        raise untrusted(config, key, source.name, hint="It would be fetched from the network.")


def own_cache(folder: Path | None, run: Path, *, trust: Sequence[str]) -> Path | None:
    """Return the cache folder that a run names, if data of the user may be written there.

    Args:
        folder: The folder in the run's configuration.
        run: The run folder.
        trust: What the user trusts.

    Returns:
        The folder if it is trusted; or if it is outside the run folder, belongs to the user, cannot
        be written by everyone, and holds prepared data already. Otherwise None.
    """
    try:
        if folder is None or not folder.is_dir():
            return None
        if is_trusted(str(folder), trust):
            return folder
        status = folder.stat()
        is_cache = any(CACHE_ENTRY.fullmatch(path.name) for path in folder.iterdir())
    except OSError:
        return None
    is_own = status.st_uid == os.getuid() and not status.st_mode & 0o002
    is_outside = not folder.resolve().is_relative_to(run.resolve())
    return folder if is_cache and is_own and is_outside else None

"""The catalog of models: the exported classes, with their configurations and results.

There is no registry. A reader, scorer or character CNN is listed because `squadqa.models` or
`squadqa.nn.char_cnn` exports it. Its paper comes from its module's docstring, its configurations
are those that name it, and its results were measured with these.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

import squadqa.models
import squadqa.nn.char_cnn
from squadqa.batch import Sizes
from squadqa.errors import ConfigError
from squadqa.evaluation.results import Result, read_results
from squadqa.inference.building import at_most
from squadqa.inference.classes import PACKAGE, maker_of
from squadqa.models import CandidateScorer, SpanReader
from squadqa.nn.char_cnn import CharCNN

Kind = Literal["reader", "scorer", "character CNN"]

CONFIGS = "configs"
"""Folder of configurations, in a checkout."""

VECTOR_SIZE = 50
"""Width of the word vectors that every installation has; parameters are counted for it."""

MOST_PARTS = 2000
"""Most layers and weights of a model in a configuration; the largest one has some hundred."""

NUM_BUCKETS, TUNED_WORDS = 10, 1000
"""Buckets of a continuous feature, and most words to tune, if a configuration does not say."""


@dataclass(frozen=True)
class CatalogEntry:
    """A model, or a character CNN.

    Args:
        kind: Reader, scorer or character CNN.
        name: Its class.
        class_path: Its name in a configuration.
        summary: The first line of its module's docstring.
        paper: The paper it comes from; empty if there is none.
        parameters: Number of parameters in its first configuration (or by default, without one),
            with word vectors of `VECTOR_SIZE`.
        configs: Configurations that name it, the one of its own name first.
        results: Results measured with it.
    """

    kind: Kind
    name: str
    class_path: str
    summary: str
    paper: str
    parameters: int
    configs: tuple[str, ...]
    results: tuple[Result, ...]


def catalog(
    configs: str | Path | None = None, results: str | Path | None = None
) -> list[CatalogEntry]:
    """List the readers, then the scorers, then the character CNNs.

    Args:
        configs: Folder of configurations; None leaves them out.
        results: Folder of results; None leaves them out.

    Raises:
        ConfigError: A configuration cannot be read, or does not fit the class that it names.
        DataError: A result cannot be read.
    """
    files = {} if configs is None else dict(_read_configs(Path(configs)))
    measured = [] if results is None else read_results(results)
    entries = []
    for kind, base, module in (
        ("reader", SpanReader, squadqa.models),
        ("scorer", CandidateScorer, squadqa.models),
        ("character CNN", CharCNN, squadqa.nn.char_cnn),
    ):
        for name in sorted(module.__all__):
            made = getattr(module, name)
            if not _is_made_of(made, base):
                continue
            own = _configs_of(made, base, files)
            entries.append(
                CatalogEntry(
                    kind=kind,  # type: ignore[arg-type]  # one of the three above
                    name=name,
                    class_path=f"{module.__name__}.{name}",
                    summary=_documentation(made).partition("\n")[0],
                    paper=_paper(made),
                    parameters=_count_parameters(made, base, own[:1], files),
                    configs=tuple(map(str, own)),
                    results=tuple(one for one in measured if _used(name, one, own, configs)),
                )
            )
    return entries


def find_folder(name: str) -> Path | None:
    """Find a folder of the checkout that this package is in; None if it is in none.

    Args:
        name: Such as "results".
    """
    folder = Path(squadqa.__file__).parents[1] / name
    return folder if folder.is_dir() else None


def _is_made_of(made: Any, base: type) -> bool:
    return isinstance(made, type) and issubclass(made, base) and not inspect.isabstract(made)


def _documentation(made: type) -> str:
    return inspect.getdoc(sys.modules[made.__module__]) or ""


def _paper(made: type) -> str:
    """The text after "Reference:" in a module's docstring, to the end of the paragraph."""
    found = re.search(r"^Reference: (.+?)(?:\n\n|\Z)", _documentation(made), re.M | re.S)
    return " ".join(found[1].split()) if found else ""


def _read_configs(folder: Path) -> Iterator[tuple[Path, Any]]:
    import yaml

    for path in sorted(folder.rglob("*.yaml")):
        try:
            yield path, yaml.safe_load(path.read_text(encoding="utf-8"))
        except Exception as error:  # yaml raises many kinds of errors: for a date 2001-99-99, say
            raise ConfigError(
                f'cannot read the configuration "{path}": {error}', next_step="Fix or remove it."
            ) from error


def _configs_of(made: type, base: type, files: dict[Path, Any]) -> list[Path]:
    """The configurations that name a class: the one of its own name first, then complete models.

    Many models name a character CNN, so for one only its own parts are listed.
    """
    stem = made.__module__.rpartition(".")[2]
    named = [path for path, content in files.items() if _spec_of(made, content) is not None]
    if base is CharCNN:
        named = [path for path in named if _at(files[path], "model", "class_path") is None]
    return sorted(named, key=lambda path: (path.stem != stem, path))


def _spec_of(made: type, content: Any) -> dict[str, Any] | None:
    """The `class_path` and `init_args` of a class in a configuration; None if it is not there."""
    if isinstance(content, dict):
        path = str(content.get("class_path", ""))
        if path.startswith(f"{PACKAGE}.") and path.rpartition(".")[2] == made.__name__:
            return content
        content = list(content.values())
    if isinstance(content, list):
        return next((found for one in content if (found := _spec_of(made, one))), None)
    return None


def _at(content: Any, *keys: str) -> Any:
    """The value of a configuration at some keys; None if it has none."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def _count_parameters(
    made: type, base: type, configs: Sequence[Path], files: dict[Path, Any]
) -> int:
    """Build a model without memory for its weights, and count its parameters."""
    make: Any = made
    num_buckets = NUM_BUCKETS
    try:
        for path in configs:
            make = maker_of(_spec_of(made, files[path]), base)
            named = _at(files[path], "data", "inputs", "init_args", "num_buckets")
            num_buckets = NUM_BUCKETS if named is None else int(named)
        sizes = Sizes(VECTOR_SIZE, TUNED_WORDS, num_buckets)
        with torch.device("meta"), at_most(MOST_PARTS):
            model = make() if base is CharCNN else make(sizes)
    except Exception as error:  # classes raise many kinds of errors for values of the file
        raise _not_described(made, configs[0] if configs else "no file", error) from error
    return sum(parameter.numel() for parameter in model.parameters())


def _not_described(made: type, path: Path | str, error: Exception) -> ConfigError:
    return ConfigError(
        f'"{path}" does not describe a "{made.__name__}": {error}',
        next_step="Fix the configuration, or remove it.",
    )


def _used(name: str, result: Result, own: Sequence[Path], folder: str | Path | None) -> bool:
    """Return whether a result was measured with a class: by its configurations or by its name."""
    endings = {path.relative_to(folder).as_posix() for path in own} if folder else set()
    return any(
        config.partition(f"{CONFIGS}/")[2] in endings for config in result.configs
    ) or _names(name, result.overrides)


def _names(name: str, value: Any) -> bool:
    """Return whether a value of a configuration names a class anywhere."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return any(_names(name, one) for one in value)
    return isinstance(value, str) and value.rpartition(".")[2] == name

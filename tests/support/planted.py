"""Code planted in files that somebody else made: it makes the folder `ran`, if it is run."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

RAN = "ran"
"""The folder that planted code makes in the working folder."""

CODE = f"import os\nos.makedirs({RAN!r}, exist_ok=True)\n"
"""A Python file that tells whether it was run."""


class Planted:
    """An object whose pickle makes the folder when it is opened."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (RAN,)


def write_pickle(path: Path, *, protocol: int = 4) -> Path:
    """Write a pickle that runs code."""
    path.write_bytes(pickle.dumps(Planted(), protocol=protocol))
    return path


def write_side_file(path: Path) -> Path:
    """Write vectors as gensim does, with a clean pickle that names a side file which runs code."""
    import numpy as np
    from gensim.models import KeyedVectors

    made = KeyedVectors(2)
    made.add_vectors(["a", "b"], np.eye(2, dtype=np.float32))
    made.__dict__.update(
        {"__numpys": [], "__scipys": ["evil"], "__ignoreds": [], "__recursive_saveloads": []}
    )
    path.write_bytes(pickle.dumps(made, protocol=4))
    write_pickle(path.with_name(f"{path.name}.evil.npy"))
    return path


def write_package(site: Path, name: str) -> None:
    """Make an installed package that runs code when it is imported."""
    (site / name).mkdir(parents=True)
    (site / name / "__init__.py").write_text(CODE)
    about = site / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")


def copy_run(run: Path, target: Path) -> Path:
    """Copy a run folder, so that a test may change it."""
    return Path(shutil.copytree(run, target))


def change(run: Path, edit: Callable[[Any], object]) -> None:
    """Change a run's configuration."""
    path = run / "config.yaml"
    config = yaml.safe_load(path.read_text())
    edit(config)
    path.write_text(yaml.safe_dump(config))


def add_to_checkpoints(run: Path, value: object) -> None:
    """Save a run's checkpoints again, with one more value among its own."""
    for path in (run / "checkpoints").glob("*.ckpt"):
        content = torch.load(path, weights_only=True)
        content["planted"] = value
        torch.save(content, path)

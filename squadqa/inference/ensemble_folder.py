"""The folder of an ensemble: all that is needed to open its members, and their weights.

`ensemble.json` says how the members are combined; `members/` contains a `config.yaml` and one
checkpoint for each. So the folder needs no other files, wherever it is moved.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from squadqa.errors import CheckpointError, shown
from squadqa.files import system_error, write_atomic
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.mixing import Aim, Mean
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import Run, open_run
from squadqa.run_files import CONFIG, ENSEMBLE, MEMBERS


def is_ensemble(folder: str | Path) -> bool:
    """Return whether a folder is an ensemble's."""
    return (Path(folder) / ENSEMBLE).is_file()


def save_ensemble(folder: Path, ensemble: Ensemble) -> None:
    """Write an ensemble's members and how they are combined.

    Args:
        folder: The ensemble's folder; made if missing.
        ensemble: The ensemble.

    Raises:
        OutputError: A file cannot be written.
    """
    names = []
    for number, member in enumerate(ensemble.members, start=1):
        names.append(f"{number}-{member.run.folder.resolve().name}")
        _copy_run(member.run, folder / MEMBERS / names[-1])
    members = [
        {"run": f"{MEMBERS}/{name}", "weight": weight}
        for name, weight in zip(names, ensemble.weights, strict=True)
    ]
    values: dict[str, Any] = {"mean": ensemble.mean, "aim": ensemble.aim, "members": members}
    if ensemble.threshold is not None:
        values["threshold"] = ensemble.threshold
    with write_atomic(folder / ENSEMBLE) as file:
        json.dump(values, file, indent=1)


def open_ensemble(
    folder: str | Path, *, device: str = "auto", trust: Sequence[str] = ()
) -> Ensemble:
    """Open the folder of an ensemble.

    Args:
        folder: The folder.
        device: The device of its members (see `squadqa.inference.devices.find_device`).
        trust: Packages whose classes the members' configurations may name (see `open_run`).

    Raises:
        CheckpointError: The folder is not an ensemble's, or a member cannot be used.
    """
    folder = Path(folder)
    path = folder / ENSEMBLE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        members = [(_inside(folder, one["run"]), float(one["weight"])) for one in values["members"]]
        mean, aim = values["mean"], values["aim"]
        if mean not in get_args(Mean) or aim not in get_args(Aim):
            raise ValueError(f"it has the mean {shown(mean)} and the aim {shown(aim)}")
        threshold = values.get("threshold")
        threshold = None if threshold is None else float(threshold)
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f"it has the threshold {shown(threshold)}")
        ensemble_options: dict[str, Any] = {"mean": mean, "aim": aim, "threshold": threshold}
    except (OSError, ArithmeticError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f'"{path}" does not describe an ensemble: {error}',
            next_step="Put back the file that squadqa ensemble wrote.",
        ) from error
    predictors = [Predictor(open_run(run, trust=trust), device=device) for run, _ in members]
    return Ensemble(predictors, weights=[weight for _, weight in members], **ensemble_options)


def _inside(folder: Path, name: Any) -> Path:
    """Find a member's folder, which has to be inside the ensemble's."""
    path = folder / str(name)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f'its member "{name}" is outside the folder')
    return path


def _copy_run(run: Run, target: Path) -> None:
    """Copy the files that are needed to open a run."""
    checkpoint = run.checkpoint.path
    copies = {
        run.folder / CONFIG: target / CONFIG,
        checkpoint: target / checkpoint.relative_to(run.folder),
    }
    for path, copy in copies.items():
        try:
            original = path.open("rb")
        except OSError as error:
            raise system_error(error) from error
        with original, write_atomic(copy, mode="wb") as file:
            shutil.copyfileobj(original, file)

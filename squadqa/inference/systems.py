"""Opening of systems to compare: runs, ensembles and prediction files, with their answers.

Answers of runs and ensembles to the questions of a file are kept in the cache of prepared data, by
the content of the file, of the checkpoint and of the configuration, so that a second report does
not wait for them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from squadqa.data.cache import cached_folder, file_digest, read_manifest
from squadqa.data.prepare import default_cache_dir, prepare
from squadqa.data.squad import Source, content_digest, read_squad
from squadqa.errors import ConfigError
from squadqa.evaluation.predictions import n_best_path, read_n_best, read_predictions, write_n_best
from squadqa.evaluation.questions import Questions, describe_questions
from squadqa.evaluation.systems import System, system_of_texts
from squadqa.files import system_error
from squadqa.inference.answered import Preparation
from squadqa.inference.ensemble_folder import is_ensemble
from squadqa.inference.load import load
from squadqa.inference.run_folder import find_checkpoint, find_run
from squadqa.run_files import CONFIG, ENSEMBLE, MEMBERS
from squadqa.scoring import require_references

FORMAT = 1
"""Version of the kept answers; raise it when models answer differently."""

N_BEST = 5
"""Answers of each question that are kept."""

KEPT = "answers.json"
"""The file of kept answers."""


@dataclass(frozen=True)
class Opened:
    """A system, and the run or ensemble that it is.

    Args:
        system: The system.
        folder: The run's or ensemble's folder; None for a prediction file.
        parser: The spaCy pipeline that parses what it reads; None if none does.
    """

    system: System
    folder: Path | None = None
    parser: str | None = None


@dataclass(frozen=True)
class Opening:
    """How systems are opened.

    Args:
        preparation: How the questions are prepared.
        device: The device that runs answer on.
        trust: Names that the user trusts (see `squadqa.load`).
        pipeline: The spaCy pipeline whose parse tells types of answers where no run has a parse;
            None leaves them out there.
    """

    preparation: Preparation
    device: str = "auto"
    trust: Sequence[str] = ()
    pipeline: str | None = None


def open_systems(
    names: Sequence[str], source: Source, how: Opening
) -> tuple[Questions, list[Opened]]:
    """Open systems and take their answers to the questions of a source.

    Args:
        names: Run folders, folders of ensembles, and prediction files; an n-best file that is
            beside a prediction file (see `n_best_path`) is read too.
        source: The questions, each with given answers.
        how: How they are opened.

    Raises:
        ConfigError: A system is named twice, or the pipeline is not installed.
        CheckpointError: A folder is not a run's, or it cannot be used.
        DataError: The data or predictions cannot be read, or a question has no given answers.
    """
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ConfigError(f'"{name}" is named twice', next_step="Name different runs or files.")
    references = read_squad(source).references
    require_references(references, str(source))
    files = {name: _from_file(name, references) for name in names if Path(name).is_file()}
    for name in names:  # all mistakes before the work
        if name not in files and not is_ensemble(name):
            find_checkpoint(find_run(name))
    opened = []
    for name, label in zip(names, labels(names), strict=True):
        one = files[name] if name in files else _from_folder(Path(name), source, how)
        opened.append(replace(one, system=replace(one.system, name=label)))
    parser = next((one.parser for one in opened if one.parser), how.pipeline)
    data = prepare(
        source,
        cache_dir=how.preparation.cache_dir,
        pipeline=parser,
        workers=how.preparation.workers,
        progress=how.preparation.progress,
    )
    return describe_questions(data), opened


def labels(names: Sequence[str]) -> list[str]:
    """Return short names of systems that tell them apart.

    Args:
        names: Their paths, each another.

    Returns:
        The last parts of the paths, as many as are needed to differ; files without their ending.
    """
    paths = [Path(name) for name in names]
    parts = [(path.with_suffix("") if path.is_file() else path).parts for path in paths]
    for count in range(1, max(map(len, parts)) + 1):
        short = ["/".join(some[-count:]) for some in parts]
        if len(set(short)) == len(short):
            return short
    return list(names)


def _from_file(name: str, known_ids: Collection[str]) -> Opened:
    """Take answers from a prediction file, and their places from the n-best file beside it."""
    texts = read_predictions(name, known_ids=known_ids)
    system = system_of_texts(name, texts, description=name)
    n_best = n_best_path(Path(name))
    if not n_best.is_file():
        return Opened(system)
    several = read_n_best(n_best)
    answers = {
        one: some if (some := several.get(one)) and some[0].text == text else system.answers[one]
        for one, text in texts.items()
    }
    return Opened(System(name, answers, name))


def _from_folder(folder: Path, source: Source, how: Opening) -> Opened:
    """Take a run's or an ensemble's answers from the cache, or let it answer."""
    folder = folder if is_ensemble(folder) else find_run(folder)
    cache_dir = how.preparation.cache_dir
    settings = {
        "format": FORMAT,
        "content": content_digest(source),
        "part": source.part,
        "system": _digests(folder),
        "n_best": N_BEST,
    }

    def answer(entry: Path) -> dict[str, str | None]:
        run = load(folder, device=how.device, trust=how.trust)
        answered = run.answer_file(source, n_best=N_BEST, preparation=how.preparation)
        write_n_best(entry / KEPT, answered.answers)
        return {"description": run.description, "parser": run.parser}

    root = default_cache_dir() if cache_dir is None else Path(cache_dir)
    entry = cached_folder(root, "answers", settings, answer)
    notes = read_manifest(entry)["notes"]
    system = System(str(folder), read_n_best(entry / KEPT), notes["description"])
    return Opened(system, folder, notes["parser"])


def _digests(folder: Path) -> list[str]:
    """Return the checksums of all that decides a run's or an ensemble's answers."""
    try:
        if not is_ensemble(folder):
            return [file_digest(path) for path in (find_checkpoint(folder), folder / CONFIG)]
        members = sorted((folder / MEMBERS).iterdir())
        of_members = [digest for one in members for digest in _digests(one)]
        return [file_digest(folder / ENSEMBLE), *of_members]
    except OSError as error:
        raise system_error(error) from error

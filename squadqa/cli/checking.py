"""The checks of `squadqa check`: each finds what it can, whatever the others found."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from squadqa.cli.mending import Mended, parse_mended
from squadqa.cli.resources import check_disk, check_memory
from squadqa.cli.run_folders import choose_run_folder, require_name
from squadqa.cli.trial import GIB, Trial, run_trial
from squadqa.data.pipelines import find_pipeline
from squadqa.data.prepare import default_cache_dir
from squadqa.data.squad import SquadData, find_source, read_squad
from squadqa.data.vectors.sources import parse_source
from squadqa.errors import ConfigError, DataError, SquadQAError
from squadqa.files import require_writable_file, system_error
from squadqa.run_files import CONFIG
from squadqa.training.checks import require_end, require_inputs, require_practice

if TYPE_CHECKING:
    from squadqa.cli.lightning_parser import Parsed

FALLBACK_PIPELINE, FALLBACK_VECTORS, FALLBACK_DATA = "en_core_web_sm", "glove-6b-50d", "sample"
"""What a trial takes instead of what is missing, so that the rest is still tried."""

COPIES = 3
"""Checkpoints on disk at once: the best, the last, and one that is being written."""

State = Literal["ok", "failed", "not tried"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check.

    Args:
        name: What was checked.
        problems: What is wrong; empty if nothing is, or if it was not tried.
        said: What was found, or why it was not tried.
        state: "ok", "failed" or "not tried".
    """

    name: str
    problems: tuple[SquadQAError, ...] = ()
    said: str = ""
    state: State = "ok"


@dataclass
class Checked:
    """Everything that the checks of one configuration found.

    Args:
        outcomes: The outcome of each check, in order.
        trial: What a trial training measured; None if there could be none.
        questions: Training questions of a pass; 0 if they could not be read.
        disk_bytes: What the training will write, at most.
        budget_minutes: The training time that the configuration allows, if any.
        epochs: The passes that it allows, if any.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    trial: Trial | None = None
    questions: int = 0
    disk_bytes: float = 0.0
    budget_minutes: float | None = None
    epochs: int | None = None

    @property
    def problems(self) -> list[SquadQAError]:
        """All that is wrong."""
        return [problem for outcome in self.outcomes for problem in outcome.problems]

    @property
    def minutes_per_pass(self) -> float | None:
        """Minutes of training for one pass over the questions; None where nothing was measured."""
        if self.trial is None or not self.questions:
            return None
        return self.questions / self.trial.per_second / 60


def check(
    line: Sequence[str],
    *,
    also_known: Sequence[str] = (),
    seconds: float = 3.0,
    trust: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Checked:
    """Look for everything that a training would fail of.

    Args:
        line: The command line of the training, as for `squadqa.cli.lightning_parser.parse`.
        also_known: Options of the calling command, to suggest for a wrong one.
        seconds: How long the trial trains.
        trust: What the user trusts of a run that a warm start opens.
        progress: Called with the name of each check before it begins.
    """
    checked = Checked()
    with tempfile.TemporaryDirectory(prefix="squadqa-check-") as name:
        folder = Path(name)
        progress("configuration")
        mended = parse_mended(line, folder / "mended", also_known=also_known)
        checked.outcomes.append(_configuration(line, mended))
        if mended.parsed is None:
            rest = ("options", "run folder", "data", "pipeline", "vectors", "training")
            why = "the configuration cannot be read so far"
            checked.outcomes += [Outcome(one, said=why, state="not tried") for one in rest]
            return checked
        _check_parsed(checked, mended, line, folder, seconds, trust, progress)
    return checked


def _check_parsed(
    checked: Checked,
    mended: Mended,
    line: Sequence[str],
    folder: Path,
    seconds: float,
    trust: Sequence[str],
    progress: Callable[[str], None],
) -> None:
    parsed = mended.parsed
    assert parsed is not None
    config, data = parsed.config, parsed.data
    checked.budget_minutes = config.budget_minutes
    checked.epochs = config.trainer.max_epochs if config.trainer.max_epochs != -1 else None
    run = Path(config.run_folder or ".")
    add = checked.outcomes.append
    for name, actions in (
        ("options", [
            lambda: require_practice(config),
            lambda: require_end(config),
            lambda: require_inputs(parsed.module, data.inputs),
        ]),
        ("run folder", [lambda: _run_folder(config.run_folder, _configs(line))]),
    ):  # fmt: skip
        add(_tried(name, *actions))

    progress("data")
    read: dict[str, SquadData] = {}
    for part in ("train", "val", "test"):
        source = data.sources[part]
        if source is not None:
            add(_tried(part, *_data_checks(part, source, data.bad_answers, read)))
    pipeline, vectors = data.inputs.pipeline, data.inputs.vectors
    add(_tried("pipeline", lambda: _pipeline(pipeline)))
    progress("vectors")
    words = _words(read.get("train"))
    add(_tried("vectors", *(lambda one=one: _vectors(one, words) for one in vectors)))
    failed = {outcome.name for outcome in checked.outcomes if outcome.problems}

    instead: list[str] = []
    key = "--data.inputs.init_args"
    if "pipeline" in failed:
        instead += [f"{key}.pipeline", FALLBACK_PIPELINE]
    if "vectors" in failed:
        instead += [f"{key}.vectors", FALLBACK_VECTORS]
    sample = [part for part in ("train", "test") if not _trainable(read.get(part))]
    for part in sample:
        read[part] = read_squad(find_source(FALLBACK_DATA, part="dev" if part == "test" else part))  # type: ignore[arg-type]
    if "train" not in sample:
        checked.questions = _pass_questions(parsed, read["train"])
    progress("a trial training")
    trials: list[Trial] = []

    def train() -> str:
        trial = run_trial(
            [*mended.line, *instead],
            folder,
            train_data=read["train"],
            test_data=read["test"],
            seconds=seconds,
            trust=trust,
        )
        trials.append(trial)
        other = [
            *(["other data"] if sample else []),
            *(n for n in ("pipeline", "vectors") if n in failed),
        ]
        said = f"{trial.steps + 1} steps, evaluated, saved, opened again: the same score"
        return said + (f" (with other {' and '.join(other)})" if other else "")

    add(_tried("training", train))
    if not trials:
        add(Outcome("memory", said="no step could be tried", state="not tried"))
        add(Outcome("disk", said="no step could be tried", state="not tried"))
        return
    (checked.trial,) = trials
    size = data.batch_size
    add(_tried("memory", lambda: check_memory(trials[0], size)))
    count = checked.questions + len(read["test"].ids)
    checked.disk_bytes = COPIES * trials[0].checkpoint_bytes + trials[0].prepared_bytes * count
    cache = Path(data.cache_dir or default_cache_dir())
    add(_tried("disk", lambda: check_disk(checked.disk_bytes, run, cache)))


def _tried(name: str, *actions: Callable[[], str | None]) -> Outcome:
    """Do all steps of a check, and collect what is wrong and what is said."""
    problems: list[SquadQAError] = []
    said: list[str] = []
    for action in actions:
        try:
            said.append(action() or "")
        except SquadQAError as error:
            problems.append(error)
        except OSError as error:
            problems.append(system_error(error))
        except Exception as error:  # of torch, Lightning, or a model of the user's
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            problems.append(ConfigError(f"{name} failed: {reason}"))
    shown = ", ".join(filter(None, said))
    return Outcome(name, tuple(problems), shown, "failed" if problems else "ok")


def _configuration(line: Sequence[str], mended: Mended) -> Outcome:
    names = ", ".join(_configs(line))
    state: State = "failed" if mended.mistakes else "ok"
    return Outcome("configuration", tuple(mended.mistakes), names, state)


def _configs(line: Sequence[str]) -> list[str]:
    return [after for word, after in zip(line, line[1:], strict=False) if word == "--config"]


def _run_folder(named: str | None, configs: Sequence[str]) -> str:
    folder = choose_run_folder(named, configs, is_new=True)
    require_name(folder)
    existing = next(parent for parent in folder.absolute().parents if parent.is_dir())
    require_writable_file(existing / f"{folder.name}-{CONFIG}")
    return str(folder)


def _data_checks(
    part: str, source: str, bad_answers: str, read: dict[str, SquadData]
) -> list[Callable[[], str | None]]:
    """Return the checks of one part: that it can be read, and has the answers that it needs."""

    def whole() -> str:
        found = find_source(source, part="train" if part == "train" else "dev")
        read[part] = read_squad(found)
        paragraphs = len(read[part].contexts)
        return f"{len(read[part].ids):,} questions on {paragraphs:,} paragraphs of {found}"

    checks: list[Callable[[], str | None]] = [
        whole,
        lambda: _answers(part, source, bad_answers, read),
    ]
    if part == "train":
        checks.append(lambda: _placed(source, bad_answers, read))
    return checks


def _answers(part: str, source: str, bad_answers: str, read: dict[str, SquadData]) -> str | None:
    """Refuse questions without answers."""
    if part not in read:
        return None
    data = read[part]
    none = [name for name, texts in zip(data.ids, data.answer_texts, strict=True) if not texts]
    if not none:
        return None
    if part == "train" and bad_answers == "skip":
        return f"{len(none):,} without answers are left out"
    raise DataError(
        f'"{source}": {len(none):,} of {len(data.ids):,} questions have no answers, such as '
        f'"{none[0]}"',
        next_step="Fix the file, or leave such questions out with --data.bad_answers skip."
        if part == "train"
        else "Name questions with answers, which can be scored.",
    )


def _placed(source: str, bad_answers: str, read: dict[str, SquadData]) -> str | None:
    """Refuse training answers that are not where their `answer_start` says."""
    if "train" not in read:
        return None
    data = read["train"]
    wrong = [
        (data.ids[row], start)
        for row, (texts, starts) in enumerate(
            zip(data.answer_texts, data.answer_starts, strict=True)
        )
        for text, start in zip(texts, starts, strict=True)
        if start < 0 or not data.contexts[data.paragraphs[row]].startswith(text, start)
    ]
    questions = {name for name, _ in wrong}
    if not wrong:
        return None
    if bad_answers == "skip":
        return f"{len(questions):,} with misplaced answers are left out"
    raise DataError(
        f'"{source}": the answers of {len(questions):,} of {len(data.ids):,} questions are not at '
        f'their answer_start, such as that of "{wrong[0][0]}" at {wrong[0][1]}',
        next_step="Fix the file, or leave such questions out with --data.bad_answers skip.",
    )


def _trainable(data: SquadData | None) -> bool:
    """Return whether a trial can use the questions of a file: one of them has an answer."""
    return data is not None and any(data.answer_texts)


def _words(data: SquadData | None) -> set[str]:
    """Return words to look for in vectors: a few; the whole file is read all the same."""
    return set() if data is None else set(" ".join(data.contexts[:100]).lower().split())


def _pipeline(name: str | None) -> str:
    return "none" if name is None else f"{name} in {find_pipeline(name).name}"


def _vectors(name: str, words: set[str]) -> str:
    rows = parse_source(name).read(words)
    return f"{name} ({rows.vectors.shape[1]} values a word)"


def _pass_questions(parsed: "Parsed", train: SquadData) -> int:
    """Return how many questions a pass has: those held out are not trained on."""
    data = parsed.data
    count = sum(bool(texts) for texts in train.answer_texts)
    if data.sources["val"] is None:
        count = round(count * (1 - data.val_share))
    return min(count, data.limit_train or count)


def summary(checked: Checked) -> dict[str, Any]:
    """Return everything that was found as plain values.

    Args:
        checked: What the checks found.
    """
    trial = checked.trial
    return {
        "ok": not checked.problems,
        "checks": [
            {
                "name": one.name,
                "state": one.state,
                "found": one.said,
                "problems": [
                    {"what": error.what, "hint": error.hint, "next_step": error.next_step}
                    for error in one.problems
                ],
            }
            for one in checked.outcomes
        ],
        "parameters": trial and trial.parameters,
        "questions_per_second": trial and trial.per_second,
        "memory_gib": trial and trial.held_gib + trial.batch_gib,
        "minutes_per_pass": checked.minutes_per_pass,
        "disk_gib": checked.disk_bytes / GIB if trial else None,
    }

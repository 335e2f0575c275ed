"""squadqa: train and evaluate feature-based baselines and neural readers on SQuAD v1.1.

Heavy packages are imported on first use, not together with this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from squadqa.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Literal

    from squadqa.data.squad import FindAnswers
    from squadqa.data.squad.convert import Converted, Format
    from squadqa.inference.answering import Answerer

__all__ = ["__version__", "convert", "load"]


def load(
    run: str | Path,
    *,
    checkpoint: Literal["best", "last"] | None = None,
    device: str = "auto",
    trust: Sequence[str] = (),
    choose: Literal["probable", "expected_f1"] | None = None,
) -> Answerer:
    """Open a trained run, or an ensemble of runs, to ask it questions.

    >>> run = squadqa.load("runs/drqa")
    >>> run.answer(context, "Who built the mill?").text

    Args:
        run: A run folder of `squadqa train`, a model folder of `squadqa export --model`, a folder
            of `squadqa ensemble --run`, or a model that comes with squadqa, by its name: "house".
        checkpoint: Which checkpoint of a run to take; None takes the best, or the last if there is
            no best one yet.
        device: "cpu", "cuda" (or "cuda:1" and so on), or "auto": a GPU if there is one.
        trust: Packages of your own whose readers or scorers the run may use. Importing them runs
            their code; nothing outside squadqa is imported unless it is named here. Also folders
            of spaCy pipelines, folders of prepared data, and data sets that the run may use.
        choose: What a scorer's answer is: its most "probable" candidate, or the one of the highest
            "expected_f1"; None: as it was trained. Readers and ensembles have no such choice.

    Returns:
        An object with `answer`, `predict` and `evaluate`.

    Raises:
        CheckpointError: The run does not exist or cannot be used.
        ConfigError: The device does not exist, or the run has no such choice.
    """
    from squadqa.inference.load import load as open_

    return open_(run, checkpoint=checkpoint, device=device, trust=trust, choose=choose)


def convert(
    data: str | Path,
    output: str | Path,
    *,
    to: Format | None = None,
    columns: str | Mapping[str, str] | None = None,
    find_answers: FindAnswers = "error",
) -> Converted:
    """Write questions in another format.

    >>> squadqa.convert("dev.csv", "dev.json", columns={"question": "q"}, find_answers="first")

    Args:
        data: A file in one of the formats of docs/data.md, a pack, `sample`, `squad`, or a
            `datasets` name.
        output: The file to write. Its ending says the format: .json (SQuAD v1.1, or v2.0 where
            questions say whether they are impossible), .jsonl, .csv or .tsv, each also with .gz
            after it.
        to: The format, where the ending is not to say it; "mrqa" always has to be said.
        columns: What the columns of rows are called, such as "question=q,context=text" or a
            mapping; None for the usual names.
        find_answers: What to do with answers that are given as text only: "error" stops, "first"
            takes the first place in the context where the text stands, "all" every place.

    Returns:
        Counts of what was written.

    Raises:
        DataError: The data cannot be read, or answers are texts without places.
        ConfigError: The format or the names of columns are not known.
        OutputError: The file cannot be written.
    """
    from pathlib import Path

    from squadqa.data.squad import Reading, find_source
    from squadqa.data.squad.convert import convert as write

    source = find_source(str(data), reading=Reading.of(columns, find_answers))
    return write(source, Path(output), to=to)

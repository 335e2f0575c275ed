"""The common interface of a trained run and an ensemble of runs: answer, predict and evaluate."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from squadqa.data.prepare import PreparedData, Progress
from squadqa.data.squad import Source, SquadData, find_source, read_squad
from squadqa.errors import ConfigError, DataError
from squadqa.evaluation.predictions import Answer, n_best_path, write_n_best, write_predictions
from squadqa.files import require_writable_file
from squadqa.scoring import Score, require_references, score

Several = list[str] | tuple[str, ...]
"""Several questions; a single string is one question."""

IN_MEMORY = "question"
"""Prefix of the ids of questions about a new text."""


@dataclass(frozen=True)
class Preparation:
    """How the questions of a file are prepared.

    Args:
        cache_dir: Folder of prepared data; None takes the run's folder if it is a cache of the
            user's, else the default one.
        workers: Number of processes that annotate; 0 takes one for each core.
        progress: Called from time to time.
    """

    cache_dir: str | Path | None = None
    workers: int = 0
    progress: Progress | None = None


@dataclass(frozen=True)
class Answered:
    """Answers to the questions of a file.

    Args:
        answers: The best spans of each question id, the most probable first, at least one.
        data: The questions, as a run reads them.
    """

    answers: Mapping[str, list[Answer]]
    data: PreparedData

    @property
    def references(self) -> dict[str, list[str]]:
        """The given answers of each question id; an empty list if they are not known."""
        return self.data.references

    @property
    def texts(self) -> dict[str, str]:
        """The text of the first answer of each question id, as the official score expects."""
        return texts_of(self.answers)


@dataclass(frozen=True)
class DetailedAnswer:
    """The best answers of a question, and where in the text they may start and end.

    Args:
        answers: The best spans, the most probable first.
        offset_mapping: (C, 2) characters of each token of the context, half-open.
        start: (C,) probability of each token to be the answer's first, over all spans.
        end: (C,) probability of each token to be its last.
    """

    answers: list[Answer]
    offset_mapping: NDArray[np.integer]
    start: NDArray[np.float64]
    end: NDArray[np.float64]


class Answerer(ABC):
    """A trained run or an ensemble: it answers questions about texts, or those of whole files."""

    @property
    @abstractmethod
    def description(self) -> str:
        """A description for people: a run's checkpoint, or an ensemble's members."""

    @property
    @abstractmethod
    def parser(self) -> str | None:
        """The spaCy pipeline that parses the data of `answer_file`; None if none does."""

    @abstractmethod
    def ask(self, context: str, questions: Sequence[str], *, n_best: int) -> list[list[Answer]]:
        """Return the best spans of questions about one text, which is read once."""

    @abstractmethod
    def ask_in_detail(self, context: str, question: str, *, n_best: int) -> DetailedAnswer:
        """Return the best spans of one question, and the probabilities of starts and ends."""

    @abstractmethod
    def answer_file(
        self, source: Source, *, n_best: int = 1, preparation: Preparation | None = None
    ) -> Answered:
        """Answer every question of a source (see `squadqa.data.squad.find_source`)."""

    @overload
    def answer(self, context: str, question: str) -> Answer: ...

    @overload
    def answer(self, context: str, question: str, *, n_best: int) -> list[Answer]: ...

    @overload
    def answer(self, context: str, question: Several) -> list[Answer]: ...

    @overload
    def answer(self, context: str, question: Several, *, n_best: int) -> list[list[Answer]]: ...

    def answer(
        self, context: str, question: str | Several, *, n_best: int | None = None
    ) -> Answer | list[Answer] | list[list[Answer]]:
        """Answer one question about a text, or several.

        Args:
            context: The text. The last few are kept, so that further questions about them are
                faster.
            question: The question, or a list of them.
            n_best: How many answers to return for each question, the most probable first; None
                returns only the best one, without a list.

        Returns:
            An answer, or with `n_best` a list of answers; for a list of questions, a list of these.
            An answer has `.text`, `.probability` (0 to 1), and its characters `.start` and `.end`
            in the context.

        Raises:
            DataError: The context or a question is empty, or has half a surrogate pair.
            ConfigError: `n_best` is not 1 or more.
            VectorsError: A source of the run's word vectors cannot be read.
            ConfigError: The run's spaCy pipeline is not installed.
            CheckpointError: The weights do not fit, or give NaN.
        """
        _check_n_best(n_best)
        questions = [question] if isinstance(question, str) else list(question)
        _check_texts(context, questions)
        if not questions:
            return []
        found = self.ask(context, questions, n_best=n_best or 1)
        answers = found if n_best else [one[0] for one in found]
        return answers[0] if isinstance(question, str) else answers

    def answer_in_detail(self, context: str, question: str, *, n_best: int = 5) -> DetailedAnswer:
        """Answer one question about a text, and say where else the answer might start and end.

        It takes no longer than `answer`.

        Args:
            context: The text, kept as by `answer`.
            question: The question.
            n_best: Most answers to return.

        Raises:
            SquadQAError: As `answer`.
        """
        _check_n_best(n_best)
        _check_texts(context, [question])
        return self.ask_in_detail(context, question, n_best=n_best)

    def predict(
        self,
        data: str | Path,
        *,
        output: str | Path | None = None,
        n_best: int | None = None,
        cache_dir: str | Path | None = None,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> dict[str, str]:
        """Answer every question of a file.

        Args:
            data: A SQuAD v1.1 file, a pack, `sample`, `squad`, or a `datasets` name; without
                answers, too.
            output: A prediction file to write in the official format.
            n_best: Also write this many best spans of each question, with probabilities and
                characters, to `OUTPUT.n_best.json`.
            cache_dir: Folder of prepared data; None takes the run's own if it is a cache of the
                user's, else the default one.
            workers: Processes that annotate new texts; 0 takes one for each core. A script that
                asks for more than one needs `if __name__ == "__main__":`, as each process begins
                with the script's own lines.
            progress: Called from time to time with the current task, how much of it is done, and
                how much there is.

        Returns:
            The predicted text by question id.

        Raises:
            SquadQAError: The data cannot be read, or a file cannot be written, which is tried
                before the work.
        """
        _check_n_best(n_best)
        path = None if output is None else Path(output)
        if path is not None:
            for file in (path, n_best_path(path)) if n_best else (path,):
                require_writable_file(file)
        preparation = Preparation(cache_dir=cache_dir, workers=workers, progress=progress)
        answered = self.answer_file(
            find_source(str(data)), n_best=n_best or 1, preparation=preparation
        )
        if path is not None:
            if n_best:
                write_n_best(n_best_path(path), answered.answers)
            write_predictions(path, answered.texts)
        return answered.texts

    def evaluate(
        self,
        data: str | Path,
        *,
        cache_dir: str | Path | None = None,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> Score:
        """Score the answers to every question of a file by the official SQuAD v1.1 rule.

        Args:
            data: A SQuAD v1.1 file, a pack, `sample`, `squad`, or a `datasets` name.
            cache_dir: Folder of prepared data, as for `predict`.
            workers: Processes that annotate new texts, as for `predict`.
            progress: Called from time to time, as for `predict`.

        Returns:
            `.exact_match` and `.f1` in percent, over `.total` questions.

        Raises:
            SquadQAError: The data cannot be read, or a question has no answers, which is checked
                before the work.
        """
        preparation = Preparation(cache_dir=cache_dir, workers=workers, progress=progress)
        source = find_source(str(data))
        require_references(read_squad(source).references, str(data))
        answered = self.answer_file(source, preparation=preparation)
        return score(answered.references, answered.texts)


def _check_texts(context: str, questions: Sequence[str]) -> None:
    for name, text in (("context", context), *(("question", one) for one in questions)):
        if not text.strip():
            raise DataError(f"the {name} is empty: {text!r}", next_step=f"Give a {name}.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"the {name} has half a surrogate pair at character {error.start}: "
                f"{ascii(text[error.start])}",
                next_step="Decode it from its bytes in the right encoding.",
            ) from error


def _check_n_best(n_best: int | None) -> None:
    if n_best is not None and n_best < 1:
        raise ConfigError(
            f"n_best cannot be {n_best}",
            next_step="Give a whole number of 1 or more; None returns the best answer alone.",
        )


def texts_of(answers: Mapping[str, Sequence[Answer]]) -> dict[str, str]:
    """Return the text of each question's first answer."""
    return {name: best[0].text for name, best in answers.items()}


def new_questions(context: str, questions: Sequence[str]) -> SquadData:
    """Make questions about one text, without reference answers.

    Args:
        context: The text that contains the answers.
        questions: The questions.
    """
    return SquadData(
        titles=[""],
        contexts=[context],
        ids=[f"{IN_MEMORY}-{number}" for number in range(len(questions))],
        questions=list(questions),
        paragraphs=[0] * len(questions),
        answer_texts=[[] for _ in questions],
        answer_starts=[[] for _ in questions],
    )

"""What a trained run and an ensemble of runs have in common: they answer, predict and evaluate."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from squadqa.data.prepare import PreparedData, Progress
from squadqa.data.squad import Source, SquadData, find_source
from squadqa.errors import DataError
from squadqa.evaluation.predictions import Answer, write_n_best, write_predictions
from squadqa.scoring import Score, score

Several = list[str] | tuple[str, ...]
"""Several questions; a text is one."""

IN_MEMORY = "question"
"""What begins the ids of questions that are asked about a text."""


@dataclass(frozen=True)
class Preparation:
    """How the questions of a file are prepared.

    Args:
        cache_dir: Folder of prepared data; None takes the run's own where it is still there, else
            the default one.
        workers: Processes that annotate; 0 takes one for each core.
        progress: Called now and then.
    """

    cache_dir: str | Path | None = None
    workers: int = 0
    progress: Progress | None = None


@dataclass(frozen=True)
class Answered:
    """Answers to the questions of a file.

    Args:
        answers: The best spans of each question id, the most probable first, at least one.
        data: The questions, as a run read them.
    """

    answers: Mapping[str, list[Answer]]
    data: PreparedData

    @property
    def references(self) -> dict[str, list[str]]:
        """The given answers of each question id; none where they are not known."""
        return self.data.references

    @property
    def texts(self) -> dict[str, str]:
        """The first answer of each question id, as the official score takes them."""
        return texts_of(self.answers)


class Answerer(ABC):
    """A trained run or an ensemble, open to be asked about texts or about whole files."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What answers, for people: a run's checkpoint, or an ensemble's members."""

    @abstractmethod
    def ask(self, context: str, questions: Sequence[str], *, n_best: int) -> list[list[Answer]]:
        """Give the best spans of questions about one text, which is read once."""

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
            context: The text. The last ones are remembered, so that a further question about one
                of them costs less.
            question: The question, or a list of them.
            n_best: How many answers to give of each question, the most probable first; None gives
                the best one by itself.

        Returns:
            An answer, or a list of `n_best`; a list of these for a list of questions. An answer
            has `.text`, `.probability` (0 to 1), and its characters `.start` and `.end` in the
            context.

        Raises:
            DataError: The context or a question is empty.
            VectorsError: A source of the run's word vectors cannot be read.
            ConfigError: The run's spaCy pipeline is not installed.
            CheckpointError: The weights do not fit, or give no numbers.
        """
        questions = [question] if isinstance(question, str) else list(question)
        for name, text in (("context", context), *(("question", one) for one in questions)):
            if not text.strip():
                raise DataError(f"the {name} is empty: {text!r}", next_step=f"Give a {name}.")
        if not questions:
            return []
        found = self.ask(context, questions, n_best=n_best or 1)
        answers = found if n_best else [one[0] for one in found]
        return answers[0] if isinstance(question, str) else answers

    def predict(
        self,
        data: str | Path,
        *,
        output: str | Path | None = None,
        n_best: int | None = None,
        cache_dir: str | Path | None = None,
        progress: Progress | None = None,
    ) -> dict[str, str]:
        """Answer every question of a file.

        Args:
            data: A SQuAD v1.1 file, `squad`, or a `datasets` name; answers are not needed.
            output: A prediction file to write in the official format.
            n_best: Write this many best spans of each question as well, with probabilities and
                characters, to `OUTPUT.n_best.json`.
            cache_dir: Folder of prepared data; None takes the run's own where it is still there,
                else the default one.
            progress: Called now and then with what is being done, how much of it is done, and how
                much there is.

        Returns:
            The predicted text by question id.

        Raises:
            SquadQAError: The data cannot be read, or a file cannot be written.
        """
        preparation = Preparation(cache_dir=cache_dir, progress=progress)
        answered = self.answer_file(
            find_source(str(data)), n_best=n_best or 1, preparation=preparation
        )
        if output is not None:
            path = Path(output)
            if n_best:
                write_n_best(path.with_name(f"{path.stem}.n_best.json"), answered.answers)
            write_predictions(path, answered.texts)
        return answered.texts

    def evaluate(
        self,
        data: str | Path,
        *,
        cache_dir: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Score:
        """Score the answers to every question of a file by the official SQuAD v1.1 rule.

        Args:
            data: A SQuAD v1.1 file, `squad`, or a `datasets` name.
            cache_dir: Folder of prepared data, as for `predict`.
            progress: Called now and then, as for `predict`.

        Returns:
            `.exact_match` and `.f1` in percent, over `.total` questions.

        Raises:
            SquadQAError: The data cannot be read, or a question has no answers.
        """
        preparation = Preparation(cache_dir=cache_dir, progress=progress)
        answered = self.answer_file(find_source(str(data)), preparation=preparation)
        return score(answered.references, answered.texts)


def texts_of(answers: Mapping[str, Sequence[Answer]]) -> dict[str, str]:
    """Give the text of each question's first answer."""
    return {name: best[0].text for name, best in answers.items()}


def new_questions(context: str, questions: Sequence[str]) -> SquadData:
    """Ask questions of which no answer is known about one text.

    Args:
        context: The text that holds the answers.
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

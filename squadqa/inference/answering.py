"""The common interface of a trained run and an ensemble of runs: answer, predict and evaluate.

One file, as it is one class.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import overload

from squadqa.data.prepare import Progress
from squadqa.data.squad import FindAnswers, Reading, Source, find_source, read_squad
from squadqa.errors import ConfigError, DataError
from squadqa.evaluation.predictions import (
    Answer,
    n_best_path,
    write_n_best,
    write_no_answer_probabilities,
    write_predictions,
)
from squadqa.files import require_writable_file
from squadqa.inference.answered import Answered, DetailedAnswer, Preparation
from squadqa.inference.new_texts import require_text
from squadqa.inference.no_answer import with_no_answer
from squadqa.inference.several import Found, over_contexts
from squadqa.scoring import Score, require_references, score
from squadqa.scoring_v2 import ScoreV2, require_a_reference, score_v2

Several = list[str] | tuple[str, ...]
"""Several questions, or several contexts; a single string is one."""


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

    @property
    @abstractmethod
    def threshold(self) -> float | None:
        """The probability of "no answer" above which a question is left without an answer.

        None if every question is answered.
        """

    @abstractmethod
    def ask(
        self, context: str, questions: Sequence[str], *, n_best: int, always: bool = False
    ) -> list[list[Answer]]:
        """Return the best answers of questions about one text, which is read once."""

    @abstractmethod
    def ask_in_detail(self, context: str, question: str, *, n_best: int) -> DetailedAnswer:
        """Return the best spans of one question, and the probabilities of starts and ends."""

    @abstractmethod
    def answer_file(
        self,
        source: Source,
        *,
        n_best: int = 1,
        always: bool = False,
        preparation: Preparation | None = None,
    ) -> Answered:
        """Answer every question of a source (see `squadqa.data.squad.find_source`)."""

    @abstractmethod
    def answer_held_out(self, preparation: Preparation, *, always: bool = False) -> Answered:
        """Answer the questions that were held out of the training, with its negatives of them."""

    @abstractmethod
    def find(
        self, contexts: Sequence[str], questions: Sequence[str], *, n_best: int
    ) -> list[list[Found]]:
        """Return, for each question, the answers in each of several contexts."""

    @abstractmethod
    def use_temperature(self, is_used: bool) -> None:
        """Set whether probabilities are calibrated, as they are at first."""

    @overload
    def answer(self, context: str | Several, question: str, *, always: bool = False) -> Answer: ...

    @overload
    def answer(
        self, context: str | Several, question: str, *, n_best: int, always: bool = False
    ) -> list[Answer]: ...

    @overload
    def answer(
        self, context: str | Several, question: Several, *, always: bool = False
    ) -> list[Answer]: ...

    @overload
    def answer(
        self, context: str | Several, question: Several, *, n_best: int, always: bool = False
    ) -> list[list[Answer]]: ...

    def answer(
        self,
        context: str | Several,
        question: str | Several,
        *,
        n_best: int | None = None,
        always: bool = False,
    ) -> Answer | list[Answer] | list[list[Answer]]:
        """Answer one question about a text, or several.

        Args:
            context: The text. The last few are kept, so that further questions about them are
                faster. Or a list of texts: the answer is picked over all of them.
            question: The question, or a list of them.
            n_best: How many answers to return for each question, the most probable first; None
                returns only the best one, without a list.
            always: Answer also where a run that may abstain would say that there is no answer.

        Returns:
            An answer, or with `n_best` a list of answers; for a list of questions, a list of these.
            An answer has `.text`, `.probability` (0 to 1), and its characters `.start` and `.end`
            in the context. Of several texts, `.context` is the number of its own, from 0. From a
            run that may abstain it has `.no_answer_probability`, and its text is empty if the
            question has no answer.

        Raises:
            DataError: A context or a question is empty, or has half a surrogate pair, or there is
                no context.
            ConfigError: `n_best` is not 1 or more.
            VectorsError: A source of the run's word vectors cannot be read.
            ConfigError: The run's spaCy pipeline is not installed.
            CheckpointError: The weights do not fit, or give NaN.
        """
        _check_n_best(n_best)
        questions = [question] if isinstance(question, str) else list(question)
        contexts = [context] if isinstance(context, str) else list(context)
        for name, texts in (("context", contexts), ("question", questions)):
            for text in texts:
                require_text(name, text)
        if not contexts:
            raise DataError("there is no context", next_step="Give a text, or a list of texts.")
        if not questions:
            return []
        if isinstance(context, str):
            found = self.ask(context, questions, n_best=n_best or 1, always=always)
        else:
            found = self._ask_over(contexts, questions, n_best=n_best or 1, always=always)
        answers = found if n_best else [one[0] for one in found]
        return answers[0] if isinstance(question, str) else answers

    def _ask_over(
        self, contexts: Sequence[str], questions: Sequence[str], *, n_best: int, always: bool
    ) -> list[list[Answer]]:
        """Return the best answers of questions over several contexts."""
        threshold = self.threshold
        picked = []
        for found in self.find(contexts, questions, n_best=n_best):
            answers, none = over_contexts(found, abstains=threshold is not None)
            if none is not None:
                limit = None if always else threshold
                answers = with_no_answer(answers, none, threshold=limit, n_best=n_best)
            picked.append(answers[:n_best])
        return picked

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
        require_text("context", context)
        require_text("question", question)
        return self.ask_in_detail(context, question, n_best=n_best)

    def predict(
        self,
        data: str | Path,
        *,
        output: str | Path | None = None,
        n_best: int | None = None,
        always: bool = False,
        no_answer_output: str | Path | None = None,
        columns: str | Mapping[str, str] | None = None,
        find_answers: FindAnswers = "error",
        questions: str | Path | None = None,
        cache_dir: str | Path | None = None,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> dict[str, str]:
        """Answer every question of a file.

        Args:
            data: A file in one of the formats of docs/data.md, a pack, `sample`, `squad`, or a
                `datasets` name; without answers, too.
            output: A prediction file to write in the official format.
            n_best: Also write this many best spans of each question, with probabilities and
                characters, to `OUTPUT.n_best.json`.
            always: Answer also where a run that may abstain would say that there is no answer.
            no_answer_output: A file to write the probabilities of "no answer" in, in the official
                format; for a run that may abstain.
            columns: What the columns of rows are called, such as "question=q,context=text" or a
                mapping; None for the usual names.
            find_answers: Whether to look up answers that are given as text only; predictions do not
                depend on it.
            questions: A file of questions, one a line, about `data`, which is then a plain text.
                The number of a question's line is its id.
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
        if no_answer_output is not None:
            self.require_abstaining()
            require_writable_file(Path(no_answer_output))
        preparation = Preparation(cache_dir=cache_dir, workers=workers, progress=progress)
        asked = None if questions is None else str(questions)
        source = find_source(str(data), reading=Reading.of(columns, find_answers, questions=asked))
        answered = self.answer_file(
            source, n_best=n_best or 1, always=always, preparation=preparation
        )
        if no_answer_output is not None:
            write_no_answer_probabilities(no_answer_output, answered.answers)
        if path is not None:
            if n_best:
                write_n_best(n_best_path(path), answered.answers)
            write_predictions(path, answered.texts)
        return answered.texts

    def evaluate(
        self,
        data: str | Path,
        *,
        columns: str | Mapping[str, str] | None = None,
        find_answers: FindAnswers = "error",
        cache_dir: str | Path | None = None,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> Score | ScoreV2:
        """Score the answers to every question of a file.

        The rule is SQuAD's official one of v1.1, or of v2.0 for a run that may abstain.

        Args:
            data: A file in one of the formats of docs/data.md, a pack, `sample`, `squad`, or a
                `datasets` name.
            columns: What the columns of rows are called, as for `predict`.
            find_answers: Whether to look up answers that are given as text only; the score does not
                depend on it.
            cache_dir: Folder of prepared data, as for `predict`.
            workers: Processes that annotate new texts, as for `predict`.
            progress: Called from time to time, as for `predict`.

        Returns:
            `.exact_match` and `.f1` in percent, over `.total` questions; of a run that may abstain
            also `.has_answer` and `.no_answer`, the scores of the two kinds of questions.

        Raises:
            SquadQAError: The data cannot be read, or a question has no answers, which is checked
                before the work.
        """
        preparation = Preparation(cache_dir=cache_dir, workers=workers, progress=progress)
        source = find_source(str(data), reading=Reading.of(columns, find_answers))
        self.require_scorable(read_squad(source).references, str(data))
        answered = self.answer_file(source, preparation=preparation)
        if self.threshold is not None:
            return score_v2(answered.references, answered.texts)
        return score(answered.references, answered.texts)

    def require_scorable(self, references: Mapping[str, Sequence[str]], source: str) -> None:
        """Check that answers to questions can be scored; some may have none if the run may abstain.

        Args:
            references: The given answers of each question id.
            source: Where the questions come from, for messages.

        Raises:
            DataError: They cannot.
        """
        if self.threshold is not None:
            require_a_reference(references, source)
        else:
            require_references(references, source)

    def require_abstaining(self) -> None:
        """Check that there are probabilities of "no answer".

        Raises:
            ConfigError: Every question is answered.
        """
        if self.threshold is None:
            raise ConfigError(
                f'"{self.description}" answers every question: it has no probabilities of none',
                next_step="Train with --data.unanswerable keep, or with --data.negatives 0.3.",
            )


def _check_n_best(n_best: int | None) -> None:
    if n_best is not None and n_best < 1:
        raise ConfigError(
            f"n_best cannot be {n_best}",
            next_step="Give a whole number of 1 or more; None returns the best answer alone.",
        )

"""Ensembles: several runs answer together, of any architecture and of both families.

Members read one after another. Each gives a distribution over the spans of a question
(`squadqa.models.distributions`), and `squadqa.inference.mixing` combines these.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.data.dataset import QuestionDataset
from squadqa.data.squad import Source
from squadqa.data.text_preparer import TextPreparer
from squadqa.errors import ConfigError
from squadqa.evaluation.predictions import Answer
from squadqa.inference.answered import Answered, DetailedAnswer, Preparation
from squadqa.inference.answering import Answerer
from squadqa.inference.fitting import fit_weights
from squadqa.inference.mixing import Aim, Mean, choose_spans, mean_no_answer, mean_table
from squadqa.inference.no_answer import with_no_answer
from squadqa.inference.predictor import Predictor
from squadqa.inference.reading import cut_spans
from squadqa.inference.several import Found, mean_log_weights
from squadqa.models.distributions import SpanDistribution, marginals
from squadqa.scoring_v2 import best_threshold, score_pair


@dataclass(frozen=True)
class JointReading:
    """The members' distributions for questions.

    Args:
        dataset: The questions, as one member reads them.
        members: For each member, its distribution for each question, in the data set's order.
    """

    dataset: QuestionDataset[Any]
    members: Sequence[Sequence[SpanDistribution]]

    @property
    def references(self) -> dict[str, list[str]]:
        """The given answers of each question id; an empty list if they are not known."""
        return {
            self.dataset.id_of(item): self.dataset.references_of(item)
            for item in range(len(self.dataset))
        }


class Ensemble(Answerer):
    """Several trained runs that answer together.

    Members with the same pipeline and word vectors share them, and a text that one of them has
    read is not parsed again for the others.

    Args:
        members: The runs; they may share one.
        weights: How much each member's probabilities count, above 0; None gives all the same
            weight.
        mean: How the members' probabilities of a span are combined.
        aim: The score that answers are chosen for.
        threshold: The probability of "no answer" above which the ensemble abstains, if members may;
            None takes the weighted mean of theirs.

    Raises:
        ConfigError: There is no member, or the number of weights differs from that of members.
    """

    def __init__(
        self,
        members: Sequence[Predictor],
        *,
        weights: Sequence[float] | None = None,
        mean: Mean = "geometric",
        aim: Aim = "exact_match",
        threshold: float | None = None,
    ) -> None:
        self.members = list(members)
        self.weights = [1.0] * len(self.members) if weights is None else list(weights)
        self.mean = mean
        self.aim = aim
        self.own_threshold = threshold
        if not self.members:
            raise ConfigError("an ensemble without members", next_step="Name two runs or more.")
        are_weights = all(weight > 0 for weight in self.weights) and sum(self.weights) < math.inf
        if len(self.weights) != len(self.members) or not are_weights:
            raise ConfigError(
                f"the weights {self.weights} do not fit {len(self.members)} members",
                next_step="Give one weight above 0 for each member, in the same order.",
            )
        shared: dict[tuple[str, str | None, bool, tuple[str, ...]], TextPreparer] = {}
        for member in self.members:
            inputs = member.run.inputs
            key = (inputs.language, inputs.pipeline, inputs.parse, tuple(inputs.vectors))
            member.texts = shared.setdefault(key, member.texts)

    @property
    def description(self) -> str:
        """The members' checkpoints, for people."""
        return ", ".join(member.description for member in self.members)

    @property
    def threshold(self) -> float | None:
        """The probability of "no answer" above which the ensemble abstains.

        None if no member may abstain; a member that answers every question has no say in this.
        """
        known = [
            (member.threshold, weight)
            for member, weight in zip(self.members, self.weights, strict=True)
            if member.threshold is not None
        ]
        if not known or self.own_threshold is not None:
            return self.own_threshold if known else None
        return sum(one * weight for one, weight in known) / sum(weight for _, weight in known)

    @property
    def parser(self) -> str | None:
        """The spaCy pipeline that parses for the last member, whose data `answer_file` returns."""
        return self.members[-1].parser

    def ask(
        self, context: str, questions: Sequence[str], *, n_best: int, always: bool = False
    ) -> list[list[Answer]]:
        """Return the best answers of questions about one text, which each member reads once."""
        read = [member.new_distributions(context, questions) for member in self.members]
        together = JointReading(read[0].dataset, [one.distributions for one in read])
        return list(self.answers(together, n_best=n_best, always=always).values())

    def answer_held_out(self, preparation: Preparation, *, always: bool = False) -> Answered:
        """Answer the questions that were held out of the trainings, with their negatives."""
        reading = self.read_held_out(preparation)
        return Answered(self.answers(reading, always=always), reading.dataset.data)

    def find(
        self, contexts: Sequence[str], questions: Sequence[str], *, n_best: int
    ) -> list[list[Found]]:
        """Return, for each question, the answers in each of several contexts."""
        answers: list[list[list[Answer]]] = []  # by context and question
        weights = np.empty((len(self.members), len(questions), len(contexts)))
        for place, context in enumerate(contexts):
            read = [member.new_distributions(context, questions) for member in self.members]
            for number, one in enumerate(read):
                weights[number, :, place] = [each.log_weight for each in one.distributions]
            together = JointReading(read[0].dataset, [one.distributions for one in read])
            answers.append(list(self._spans(together, n_best=n_best).values()))
        abstain = [member.threshold is not None for member in self.members]
        found = []
        for number in range(len(questions)):
            together_weights = mean_log_weights(
                list(weights[:, number]), abstain=abstain, weights=self.weights
            )
            found.append(
                [
                    Found(of_context[number], weight)
                    for of_context, weight in zip(answers, together_weights.tolist(), strict=True)
                ]
            )
        return found

    def use_temperature(self, is_used: bool) -> None:
        """Set whether the members' probabilities are calibrated, as they are at first."""
        for member in self.members:
            member.use_temperature(is_used)

    def ask_in_detail(self, context: str, question: str, *, n_best: int) -> DetailedAnswer:
        """Return the best spans of one question, and the probabilities of starts and ends."""
        read = [member.new_distributions(context, [question]) for member in self.members]
        together = JointReading(read[0].dataset, [one.distributions for one in read])
        (answers,) = self.answers(together, n_best=n_best).values()
        distributions = [one.distributions[0] for one in read]
        start, end = marginals(mean_table(distributions, self.weights, mean=self.mean))
        offsets = together.dataset.data.tokens.offset_mapping[: len(start)]
        return DetailedAnswer(answers, offsets, start, end)

    def answer_file(
        self,
        source: Source,
        *,
        n_best: int = 1,
        always: bool = False,
        preparation: Preparation | None = None,
    ) -> Answered:
        """Answer every question of a source (see `squadqa.data.squad.find_source`)."""
        reading = self.read(source, preparation or Preparation())
        answers = self.answers(reading, n_best=n_best, always=always)
        return Answered(answers, reading.dataset.data)

    def read(
        self, source: Source, preparation: Preparation, *, rows: NDArray[np.int64] | None = None
    ) -> JointReading:
        """Let every member read questions of a source.

        Args:
            source: The questions.
            preparation: How they are prepared.
            rows: Which ones, by their place in the source; None takes all.

        Raises:
            SquadQAError: The source cannot be prepared, or a member's weights give no numbers.
        """
        datasets = [one.dataset(source, preparation, rows=rows) for one in self.members]
        return self._read(datasets, preparation)

    def read_held_out(self, preparation: Preparation) -> JointReading:
        """Let every member read the questions that were held out of its training.

        Raises:
            SquadQAError: The members' held-out questions differ, or no longer exist.
        """
        first = self.members[0].run
        for member in self.members:
            if member.run.held_out != first.held_out:
                raise ConfigError(
                    f'"{first.folder}" and "{member.run.folder}" were not trained with the same '
                    "questions held out: one may have been trained on questions of the other",
                    hint="They depend on data.train, data.val, data.val_share, data.bad_answers, "
                    "data.unanswerable and data.negatives.",
                    next_step="Leave out --held-out and --fit-weights, or use other runs.",
                )
        return self._read([one.held_out(preparation) for one in self.members], preparation)

    def fit_weights(self, reading: JointReading) -> None:
        """Set the weights to those under which the answers of questions are most probable.

        Args:
            reading: Distributions for questions that no member was trained on.

        Raises:
            DataError: No member gives any answer a probability.
        """
        data, rows = reading.dataset.data, reading.dataset.rows
        self.weights = fit_weights(
            data.start_positions[rows], data.end_positions[rows], reading.members, mean=self.mean
        )

    def fit_threshold(self, reading: JointReading) -> None:
        """Set the threshold of "no answer" to that of the best F1 on questions; see `fit_weights`.

        Without a member that may abstain, nothing is set.

        Args:
            reading: Distributions for questions that no member was trained on.
        """
        if self.threshold is None:
            return
        answers = [best[0] for best in self.answers(reading, always=True).values()]
        gains = [
            score_pair(answer.text, references)[1] if references else -1.0
            for answer, references in zip(answers, reading.references.values(), strict=True)
        ]
        probabilities = [float(answer.no_answer_probability or 0.0) for answer in answers]
        self.own_threshold = best_threshold(gains, probabilities, keeps_ties=True)[1]

    def answers(
        self, reading: JointReading, *, n_best: int = 1, always: bool = False
    ) -> dict[str, list[Answer]]:
        """Answer every question by the mean of the members' distributions.

        Args:
            reading: The members' distributions.
            n_best: Most answers to return for each question.
            always: Answer also where the ensemble would abstain.

        Returns:
            The best answers of each question id, in the data set's order.
        """
        found = self._spans(reading, n_best=n_best)
        threshold = None if always else self.threshold
        for name, distributions in zip(found, zip(*reading.members, strict=True), strict=True):
            none = mean_no_answer(distributions, self.weights, mean=self.mean)
            if none is None:
                continue
            spans = [
                replace(answer, probability=answer.probability * (1 - none))
                for answer in found[name]
            ]
            found[name] = with_no_answer(spans, none, threshold=threshold, n_best=n_best)
        return found

    def _spans(self, reading: JointReading, *, n_best: int) -> dict[str, list[Answer]]:
        """Return the best spans of each question id, with their probabilities if there is one."""
        found = {}
        for item, distributions in enumerate(zip(*reading.members, strict=True)):
            table = mean_table(distributions, self.weights, mean=self.mean)
            spans, probabilities = choose_spans(table, n_best=n_best, aim=self.aim)
            found[reading.dataset.id_of(item)] = cut_spans(
                reading.dataset, item, spans, probabilities
            )
        return found

    def answers_of_member(self, reading: JointReading, place: int) -> dict[str, list[Answer]]:
        """Answer every question by one member's distribution."""
        alone = Ensemble([self.members[place]], mean="arithmetic", aim=self.aim)
        return alone.answers(JointReading(reading.dataset, [reading.members[place]]))

    def _read(
        self, datasets: Sequence[QuestionDataset[Any]], preparation: Preparation
    ) -> JointReading:
        members = [
            member.distributions(dataset, progress=preparation.progress)
            for member, dataset in zip(self.members, datasets, strict=True)
        ]
        return JointReading(datasets[-1], members)

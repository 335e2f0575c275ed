"""Ensembles: several runs answer together, of any architecture and of both families.

Members read one after another. Each gives a distribution over the spans of a question
(`squadqa.models.distributions`), and `squadqa.inference.mixing` combines these.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from squadqa.data.dataset import QuestionDataset
from squadqa.data.squad import Source
from squadqa.data.text_preparer import TextPreparer
from squadqa.errors import ConfigError
from squadqa.evaluation.predictions import Answer
from squadqa.inference.answering import Answered, Answerer, DetailedAnswer, Preparation
from squadqa.inference.mixing import Aim, Mean, choose_spans, fit_weights, mean_table
from squadqa.inference.predictor import Predictor, cut_spans
from squadqa.models.distributions import SpanDistribution, marginals


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
    ) -> None:
        self.members = list(members)
        self.weights = [1.0] * len(self.members) if weights is None else list(weights)
        self.mean = mean
        self.aim = aim
        if not self.members:
            raise ConfigError("an ensemble without members", next_step="Name two runs or more.")
        are_weights = all(weight > 0 for weight in self.weights) and sum(self.weights) < math.inf
        if len(self.weights) != len(self.members) or not are_weights:
            raise ConfigError(
                f"the weights {self.weights} do not fit {len(self.members)} members",
                next_step="Give one weight above 0 for each member, in the same order.",
            )
        shared: dict[tuple[str | None, bool, tuple[str, ...]], TextPreparer] = {}
        for member in self.members:
            inputs = member.run.inputs
            key = (inputs.pipeline, inputs.parse, tuple(inputs.vectors))
            member.texts = shared.setdefault(key, member.texts)

    @property
    def description(self) -> str:
        """The members' checkpoints, for people."""
        return ", ".join(member.description for member in self.members)

    @property
    def parser(self) -> str | None:
        """The spaCy pipeline that parses for the last member, whose data `answer_file` returns."""
        return self.members[-1].parser

    def ask(self, context: str, questions: Sequence[str], *, n_best: int) -> list[list[Answer]]:
        """Return the best spans of questions about one text, which each member reads once."""
        read = [member.new_distributions(context, questions) for member in self.members]
        together = JointReading(read[0].dataset, [one.distributions for one in read])
        return list(self.answers(together, n_best=n_best).values())

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
        self, source: Source, *, n_best: int = 1, preparation: Preparation | None = None
    ) -> Answered:
        """Answer every question of a source (see `squadqa.data.squad.find_source`)."""
        reading = self.read(source, preparation or Preparation())
        return Answered(self.answers(reading, n_best=n_best), reading.dataset.data)

    def read(self, source: Source, preparation: Preparation) -> JointReading:
        """Let every member read the questions of a source.

        Raises:
            SquadQAError: The source cannot be prepared, or a member's weights give no numbers.
        """
        return self._read([one.dataset(source, preparation) for one in self.members], preparation)

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
                    hint="They depend on data.train, data.val, data.val_share and "
                    "data.bad_answers.",
                    next_step="Leave out --held-out and --fit-weights, or use other runs.",
                )
        return self._read([one.held_out(preparation) for one in self.members], preparation)

    def fit_weights(self, reading: JointReading) -> None:
        """Set the weights to those that make the answers of questions most probable.

        Args:
            reading: Distributions for questions that no member was trained on.

        Raises:
            DataError: No member gives any answer a probability.
        """
        data, rows = reading.dataset.data, reading.dataset.rows
        self.weights = fit_weights(
            data.start_positions[rows], data.end_positions[rows], reading.members
        )

    def answers(self, reading: JointReading, *, n_best: int = 1) -> dict[str, list[Answer]]:
        """Answer every question by the mean of the members' distributions.

        Args:
            reading: The members' distributions.
            n_best: Most spans to return for each question.

        Returns:
            The best spans of each question id, in the data set's order.
        """
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

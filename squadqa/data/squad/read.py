"""Reading of all questions of a source into memory, with checks across questions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from squadqa.data.squad.rows import Row, rows_of
from squadqa.data.squad.source import Source
from squadqa.errors import DataError

BadAnswers = Literal["error", "skip", "keep"]
"""What to do with a question that has no answers, or one that is not at its `answer_start`: stop,
leave the question out and count it, or keep it (evaluation and prediction need no positions)."""

Unanswerable = Literal["error", "keep", "skip"]
"""What to do with a question that has no answers: stop, unless such questions are bad answers that
are skipped or kept; keep it, as one that is rightly left without an answer; or leave it out."""


WITHOUT = "it has no answers, and training needs one"

UNANSWERABLE_ADVICE = (
    "Train a model that may say so with --data.unanswerable keep, or leave them out with "
    "--data.unanswerable skip (prepare: --unanswerable)."
)
"""The next step where questions have no answers."""


@dataclass
class SquadData:
    """Paragraphs and the questions asked of them, in the file's order.

    Args:
        titles: Article of each paragraph; one without a title is named by its place.
        contexts: Text of each paragraph.
        ids: Identifier of each question.
        questions: Text of each question.
        paragraphs: Paragraph index of each question.
        answer_texts: References of each question, none or more.
        answer_starts: First character of each reference in its context, in code points.
        skipped: How many questions were left out, by reason.
    """

    titles: list[str] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    paragraphs: list[int] = field(default_factory=list)
    answer_texts: list[list[str]] = field(default_factory=list)
    answer_starts: list[list[int]] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def references(self) -> dict[str, list[str]]:
        """Reference answers by question id."""
        return dict(zip(self.ids, self.answer_texts, strict=True))


def read_squad(
    source: Source, *, bad_answers: BadAnswers = "keep", unanswerable: Unanswerable = "error"
) -> SquadData:
    """Read and check questions.

    Args:
        source: What `find_source` returned.
        bad_answers: What to do with a question without usable answers. "error" and "skip" are for
            training, and require that at least one usable question is left.
        unanswerable: What to do with a question that has no answers.

    Raises:
        DataError: The source is not SQuAD v1.1, or contradicts itself; the message says where.
    """
    without = bad_answers if unanswerable == "error" else unanswerable
    return _collect(rows_of(source), source, bad_answers, without)


def _collect(
    rows: Iterable[Row], source: Source, bad_answers: BadAnswers, without: BadAnswers
) -> SquadData:
    """Collect the rows; `without` is what to do with those that have no answers."""
    data = SquadData()
    missing: list[str] = []  # the places of questions without answers that are an error
    places: dict[str, str] = {}
    untitled: dict[str, str] = {}  # where each context of an untitled article was first seen
    paragraph = ""
    for row in rows:
        if row.id in places:
            raise DataError(
                f'"{source}": the id "{row.id}" occurs twice, at {places[row.id]} and {row.where}',
                next_step="Give every question its own id.",
            )
        places[row.id] = row.where
        for name, text in (("context", row.context), ("question", row.question)):
            if not text.strip():
                raise DataError(
                    f'"{source}": {row.where} (id "{row.id}") has an empty {name}: {text!r}',
                    next_step=f"Fill in the {name} or remove the question.",
                )
        problem = ""
        asked = bad_answers if row.texts else without
        if asked != "keep":
            problem = answer_problem(row.context, row.texts, row.starts)
        if problem and not row.texts and asked == "error":
            missing.append(f'question "{row.id}" ({row.where})')
            continue
        if problem and asked == "error":
            raise DataError(
                f'"{source}": question "{row.id}" ({row.where}): {problem}',
                next_step="Fix the file, or leave such questions out with --data.bad_answers skip "
                "(prepare: --bad-answers skip).",
            )
        if problem:
            reason = problem.split(":")[0]
            data.skipped[reason] = data.skipped.get(reason, 0) + 1
            continue
        if row.paragraph != paragraph:
            paragraph = row.paragraph
            place = row.article or untitled.setdefault(row.context, row.where)
            data.titles.append(row.title if row.title.strip() else f"untitled: {place}")
            data.contexts.append(row.context)
        data.ids.append(row.id)
        data.questions.append(row.question)
        data.paragraphs.append(len(data.contexts) - 1)
        data.answer_texts.append(row.texts)
        data.answer_starts.append(row.starts)
    if missing:
        raise DataError(
            f'"{source}": {missing[0]}: {WITHOUT} ({len(missing):,} of {len(places):,} questions '
            "have none)",
            next_step=UNANSWERABLE_ADVICE,
        )
    if not data.ids:
        left_out = f" ({sum(data.skipped.values())} were left out)" if data.skipped else ""
        raise DataError(
            f'"{source}" holds no questions{left_out}', next_step="Name a file with questions."
        )
    return data


def answer_problem(context: str, texts: Sequence[str], starts: Sequence[int]) -> str:
    """Say why training could not use a question.

    Args:
        context: Its paragraph.
        texts: Its references.
        starts: Their first characters.

    Returns:
        What is wrong with its references; empty if each of them is where it says.
    """
    if not texts:
        return WITHOUT
    for text, start in zip(texts, starts, strict=True):
        found = context[max(start, 0) : max(start, 0) + len(text)]
        if not text.strip() or start < 0 or found != text:
            return f"an answer is not at its answer_start: at {start} is {found!r}, not {text!r}"
    return ""

"""Reading of all questions of a source into memory, with checks across questions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from squadqa.data.squad.places import NOWHERE, with_places
from squadqa.data.squad.row import Row
from squadqa.data.squad.rows import rows_of
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
        answer_starts: First character of each reference in its context, in code points; `NOWHERE`
            for one without a place. References with a place come first.
        skipped: How many questions were left out, by reason.
        found: How many answers were looked up in their contexts, by outcome.
    """

    titles: list[str] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    paragraphs: list[int] = field(default_factory=list)
    answer_texts: list[list[str]] = field(default_factory=list)
    answer_starts: list[list[int]] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)

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
        DataError: The source is in none of the formats, or contradicts itself; the message says
            where.
    """
    without = bad_answers if unanswerable == "error" else unanswerable
    return _collect(checked_rows(source), source, bad_answers, without)


def checked_rows(source: Source) -> Iterator[Row]:
    """Iterate over the questions of a source, and check texts and identifiers.

    Raises:
        DataError: The source is in none of the formats, an identifier occurs twice, or a text is
            empty.
    """
    places: dict[str, str] = {}
    for row in rows_of(source):
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
        yield row


def _collect(
    rows: Iterable[Row], source: Source, bad_answers: BadAnswers, without: BadAnswers
) -> SquadData:
    """Collect the rows; `without` is what to do with those that have no answers."""
    data = SquadData()
    missing: list[str] = []  # the places of questions without answers that are an error
    find, found = source.reading.find_answers, Counter[str]()
    untitled: dict[str, str] = {}  # where each context of an untitled article was first seen
    without_places: list[Row] = []
    paragraph = ""
    for row in rows:
        texts, starts = with_places(row.context, row.texts, row.starts, find=find, counts=found)
        if texts and find == "error" and all(start == NOWHERE for start in starts):
            without_places.append(row)
            if bad_answers != "keep":
                continue  # how many there are is said in the end
        problem = ""
        # A source may say that there is an answer, and not give it.
        lacks = not texts and row.is_impossible is not False
        asked = without if lacks else bad_answers
        if asked != "keep":
            problem = answer_problem(row.context, texts, starts)
        if problem and lacks and asked == "error":
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
        data.answer_texts.append(texts)
        data.answer_starts.append(starts)
    if missing:
        total = len(missing) + len(without_places) + len(data.ids) + sum(data.skipped.values())
        raise DataError(
            f'"{source}": {missing[0]}: {WITHOUT} ({len(missing):,} of {total:,} questions have '
            "none)",
            next_step=UNANSWERABLE_ADVICE,
        )
    if without_places and bad_answers != "keep":
        raise places_needed(source, without_places, total=len(without_places) + len(data.ids))
    if not data.ids:
        left_out = f" ({sum(data.skipped.values())} were left out)" if data.skipped else ""
        raise DataError(
            f'"{source}" holds no questions{left_out}', next_step="Name a file with questions."
        )
    data.found = {name: count for name, count in found.items() if count}
    return data


def places_needed(source: Source, rows: Sequence[Row], *, total: int) -> DataError:
    """Make the error for answers that are given as text only, where their places are needed.

    Args:
        source: The source.
        rows: The questions that have only such answers, one or more.
        total: The number of all questions.
    """
    return DataError(
        f'"{source}": the answers of {len(rows):,} of {total:,} questions are texts without places '
        f'in the context, such as "{rows[0].texts[0]:.60}" of "{rows[0].id}" ({rows[0].where})',
        hint="A text may stand in several places, so they are looked up only if you say so.",
        next_step="Take the first place where it stands with --find-answers first, or every one "
        "with --find-answers all (in a configuration: data.find_answers).",
    )


def answer_problem(context: str, texts: Sequence[str], starts: Sequence[int]) -> str:
    """Say why training could not use a question.

    Args:
        context: Its paragraph.
        texts: Its references.
        starts: Their first characters; `NOWHERE` for those without a place.

    Returns:
        What is wrong with its references; empty if one has a place, and each is where it says.
    """
    if not texts:
        return WITHOUT
    placed = [(text, start) for text, start in zip(texts, starts, strict=True) if start != NOWHERE]
    if not placed:
        return f"none of its answers stands in the context: {texts[0]!r}"
    for text, start in placed:
        found = context[max(start, 0) : max(start, 0) + len(text)]
        if not text.strip() or start < 0 or found != text:
            return f"an answer is not at its answer_start: at {start} is {found!r}, not {text!r}"
    return ""

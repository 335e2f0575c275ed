"""A prepared source: questions and their paragraphs as tokens, annotation and vectors."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from squadqa.data.alignment import Alignment, align
from squadqa.data.annotation import Annotation
from squadqa.data.squad import SquadData
from squadqa.data.squad.places import NOWHERE
from squadqa.data.tokenization import Tokens


@dataclass(frozen=True)
class PreparedData:
    """A source's paragraphs (P), questions (N), tokens (T) and distinct word forms (U).

    All texts have one numbering: text p is paragraph p, text P + n is question n.

    Args:
        source: Where the data came from, for messages.
        titles: (P,) article of each paragraph.
        contexts: (P,) text of each paragraph.
        ids: (N,) identifier of each question.
        questions: (N,) text of each question.
        paragraphs: (N,) paragraph of each question.
        answer_texts: (N,) lists of references.
        answer_starts: (N,) lists of their first characters.
        start_positions: (N,) first token of the first reference in its context; -1 if none.
        end_positions: (N,) last token of that reference, inclusive; -1 if none.
        alignment: (N,) `Alignment` of the first reference.
        tokens: Tokens of all P + N texts.
        lower: (U,) number of each form's lower-cased form; equal ones have equal numbers.
        annotation: A row for each token, if asked for.
        vectors: (U, E) a row for each form of the lexicon, if asked for.
        vectors_found: (U, S) whether each of the S vector sources knows the form.
        skipped: Number of questions left out, by reason.
        found: Number of answers that were looked up in their contexts, by outcome.
    """

    source: str
    titles: pa.Array
    contexts: pa.Array
    ids: pa.Array
    questions: pa.Array
    paragraphs: NDArray[np.int32]
    answer_texts: pa.Array
    answer_starts: pa.Array
    start_positions: NDArray[np.int32]
    end_positions: NDArray[np.int32]
    alignment: NDArray[np.uint8]
    tokens: Tokens
    lower: NDArray[np.int32]
    annotation: Annotation | None
    vectors: NDArray[np.float32] | None
    vectors_found: NDArray[np.bool_] | None
    skipped: dict[str, int]
    found: dict[str, int] = field(default_factory=dict)

    @property
    def unanswerable(self) -> NDArray[np.bool_]:
        """(N,) True on a question without answers."""
        counts: NDArray[np.int32] = pc.list_value_length(self.answer_texts).to_numpy()
        return counts == 0

    @property
    def references(self) -> dict[str, list[str]]:
        """Reference answers by question id."""
        return dict(zip(self.ids.to_pylist(), self.answer_texts.to_pylist(), strict=True))


def put_together(data: SquadData, tokens: Tokens) -> PreparedData:
    """Combine questions with the tokens of their texts, without annotation and vectors yet.

    Args:
        data: Paragraphs and questions.
        tokens: The tokens of all paragraphs, then of all questions.
    """
    start, end, kind = _gold_spans(data, tokens)
    lower_forms = [form.lower() for form in tokens.lexicon]
    number = {form: index for index, form in enumerate(sorted(set(lower_forms)))}
    return PreparedData(
        source="",
        titles=pa.array(data.titles, pa.string()),
        contexts=pa.array(data.contexts, pa.string()),
        ids=pa.array(data.ids, pa.string()),
        questions=pa.array(data.questions, pa.string()),
        paragraphs=np.array(data.paragraphs, np.int32),
        answer_texts=pa.array(data.answer_texts, pa.list_(pa.string())),
        answer_starts=pa.array(data.answer_starts, pa.list_(pa.int32())),
        start_positions=start,
        end_positions=end,
        alignment=kind,
        tokens=tokens,
        lower=np.array([number[form] for form in lower_forms], np.int32),
        annotation=None,
        vectors=None,
        vectors_found=None,
        skipped=data.skipped,
        found=data.found,
    )


def _gold_spans(
    data: SquadData, tokens: Tokens
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    count = len(data.ids)
    start, end = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    kind = np.full(count, Alignment.NONE, np.uint8)
    of_paragraph: dict[int, list[int]] = {}  # questions whose first reference is in place
    for index, paragraph in enumerate(data.paragraphs):
        if not data.answer_texts[index]:
            continue
        first, text = data.answer_starts[index][0], data.answer_texts[index][0]
        if first == NOWHERE:
            kind[index] = Alignment.UNPLACED
        elif first < 0 or data.contexts[paragraph][first : first + len(text)] != text:
            kind[index] = Alignment.MISPLACED
        else:
            of_paragraph.setdefault(paragraph, []).append(index)
    for paragraph, rows in of_paragraph.items():
        offsets = tokens.offset_mapping[tokens.bounds[paragraph] : tokens.bounds[paragraph + 1]]
        begins = np.array([data.answer_starts[row][0] for row in rows])
        lengths = np.array([len(data.answer_texts[row][0]) for row in rows])
        start[rows], end[rows], kind[rows] = align(offsets, begins, begins + lengths)
    return start, end, kind

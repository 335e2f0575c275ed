"""Questions that are written in any format and read again are the same."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.formats import detect, json_lines, mrqa, nested_json, tables
from squadqa.data.squad.row import Row

Dump = Callable[[Sequence[Row]], Iterator[str]]

DUMPS: dict[str, Dump] = {
    "nested": nested_json.dumped,
    "lines": json_lines.dumped,
    "csv": partial(tables.dumped, delimiter=","),
    "tsv": partial(tables.dumped, delimiter="\t"),
}

TEXT = st.text(
    st.sampled_from("aZé9 \t\n\r.,;\"'[]{}-–\u200b\u00a0\u2028\x00\ufeff🥐中")
    | st.characters(exclude_categories=["Cs"]),
    max_size=30,
).filter(str.strip)


@st.composite
def questions(draw: st.DrawFn, *, says: bool = True) -> list[Row]:
    """Rows of some contexts; with `says` some are marked as possible or impossible."""
    rows: list[Row] = []
    contexts = draw(st.lists(TEXT, min_size=1, max_size=3, unique=True))
    for number, context in enumerate(contexts):
        title = draw(st.sampled_from(["", "Mill", "Bäckerei"]))
        for _ in range(draw(st.integers(1, 3))):
            impossible = draw(st.sampled_from([None, True, False])) if says else None
            spans = st.tuples(*2 * [st.integers(0, len(context))]).map(sorted)
            spans = spans.filter(lambda span, text=context: text[slice(*span)].strip())
            answers = [] if impossible else draw(st.lists(spans, max_size=3))
            row = Row(
                where="",
                article="",
                paragraph=str(number),
                title=title,
                context=context,
                id=f"{len(rows)}{draw(TEXT)}",
                question=draw(TEXT),
                texts=[context[slice(*span)] for span in answers],
                starts=[start for start, _ in answers],
                is_impossible=impossible,
            )
            rows.append(row)
    return rows


def content(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """What a format has to keep of rows: everything but the names of places."""
    same = [False, *(one.paragraph == other.paragraph for one, other in pairwise(rows))]
    return [
        (
            *(row.id, row.title, row.context, row.question, row.texts, row.starts),
            *(row.is_impossible, is_same),
        )
        for row, is_same in zip(rows, same, strict=True)
    ]


def read(text: str) -> list[Row]:
    """Read a text whose format is not told."""
    return list(detect.rows_of(text, "pipe", Columns()))


@pytest.mark.parametrize("format", DUMPS)
@given(rows=questions())
def test_questions_come_back(format: str, rows: list[Row]) -> None:
    assert content(read("".join(DUMPS[format](rows)))) == content(rows)


@given(rows=questions(says=False))
@settings(max_examples=30)
def test_questions_come_back_from_mrqa(rows: list[Row]) -> None:
    assert content(read("".join(mrqa.dumped(rows, name="x")))) == content(rows)


@given(rows=questions(says=False), chain=st.lists(st.sampled_from(sorted(DUMPS)), min_size=2))
@settings(max_examples=30)
def test_questions_come_back_over_several_formats(rows: list[Row], chain: list[str]) -> None:
    after = rows
    for format in chain:
        after = read("".join(DUMPS[format](after)))
    assert content(after) == content(rows)

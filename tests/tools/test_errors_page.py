"""docs/errors.md is made of the labels."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squadqa.data.squad import find_source, read_squad
from squadqa.errors import DataError
from tests.support.runs import ROOT
from tools import errors_page
from tools.errors_page import BEGIN, CATEGORIES, END, LABELS, PAGE, kappa, page, read_labels, tables

Values = dict[str, Any]


def labelled(*pairs: tuple[str, str]) -> Values:
    labels = [
        {
            "id": f"q{number}",
            "place": f"A, 1.{number}",
            "first": {"category": first, "reason": "one"},
            "second": {"category": second, "reason": "two"},
        }
        for number, (first, second) in enumerate(pairs)
    ]
    return {"questions": 1000, "wrong": 400, "overlap": 150, "labels": labels}


VALUES = labelled(
    ("boundary", "boundary"),
    ("boundary", "paraphrase"),
    ("paraphrase", "paraphrase"),
    ("wrong kind", "wrong kind"),
)


def test_the_page_is_up_to_date() -> None:
    shown = (ROOT / PAGE).read_text(encoding="utf-8")
    assert shown == page(ROOT), "run: python tools/errors_page.py"


def test_a_hundred_errors_of_train_are_labelled() -> None:
    values = json.loads((ROOT / LABELS).read_text(encoding="utf-8"))
    labels = read_labels(values)
    assert len({one.question for one in labels}) == len(labels) >= 100


def test_each_is_a_question_of_train_at_its_place(squad_folder: Path) -> None:
    data = read_squad(find_source(str(squad_folder), part="train"))
    paragraphs: dict[str, list[int]] = {}
    for number, title in enumerate(data.titles):
        paragraphs.setdefault(title, []).append(number)
    for one in read_labels(json.loads((ROOT / LABELS).read_text(encoding="utf-8"))):
        title, _, numbers = one.place.rpartition(", ")
        paragraph, question = map(int, numbers.split("."))
        number = paragraphs[title][paragraph - 1]
        rows = [row for row, its in enumerate(data.paragraphs) if its == number]
        assert data.ids[rows[question - 1]] == one.question


def test_kappa() -> None:
    labels = read_labels(VALUES)
    # Agreement 3/4; by chance (2 * 1 + 1 * 2 + 1 * 1) / 16 = 5/16.
    assert kappa(labels) == pytest.approx((3 / 4 - 5 / 16) / (1 - 5 / 16))
    assert kappa(read_labels(labelled(("boundary", "boundary")))) == 1
    crossed = labelled(("boundary", "paraphrase"), ("paraphrase", "boundary"))
    assert kappa(read_labels(crossed)) == pytest.approx(-1)


def test_counts_and_reasons_are_shown() -> None:
    shown = tables(VALUES)
    assert "Of 1,000 held-out questions the run answers 400" in shown
    assert "in 150 of these" in shown and "agree on 3" in shown
    assert f"| boundary | {CATEGORIES['boundary']} | 2 | 1 | 1 |" in shown
    assert "| A, 1.0 | boundary |  | one |" in shown
    assert "| A, 1.1 | boundary | paraphrase | one / two |" in shown


@pytest.mark.parametrize(
    "change",
    [
        lambda label: label.update(category="bad luck"),
        lambda label: label.update(reason=" "),
    ],
)
def test_a_bad_label_is_refused(change: Callable[[dict[str, str]], None]) -> None:
    values = labelled(("boundary", "boundary"))
    change(values["labels"][0]["second"])
    with pytest.raises(DataError, match="q0"):
        read_labels(values)


def test_the_tool_rewrites_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (PAGE, LABELS):
        (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / PAGE).write_text(f"# Errors\n{BEGIN}\nold\n{END}\nby hand\n", encoding="utf-8")
    monkeypatch.setattr(errors_page, "ROOT", tmp_path)
    assert errors_page.main() == 2, "there are no labels yet"
    (tmp_path / LABELS).write_text(json.dumps(VALUES), encoding="utf-8")
    capsys.readouterr()
    assert errors_page.main() == 0
    shown = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert tables(VALUES) in shown and shown.endswith("by hand\n") and "old" not in shown
    assert capsys.readouterr().out == "rewritten: docs/errors.md\n"

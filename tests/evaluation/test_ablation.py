"""The record of an ablation, and its file."""

import json
from pathlib import Path
from typing import Any

import pytest

from squadqa.errors import DataError, OutputError
from squadqa.evaluation.ablation import (
    LEXICAL_PAIR,
    PUBLISHED_F1,
    Ablation,
    open_ablation,
    read_ablation,
    write_ablation,
)
from tests.support.ablations import CONFIG, EMPTY, FULL, WHOLE, variant


def test_the_published_figures_are_the_papers() -> None:
    """All features have 51.0; the table's extremes, and the pair in any order."""
    assert len(PUBLISHED_F1) == 11
    assert variant(f1=1.0).published_f1 == 51.0
    assert variant(*reversed(LEXICAL_PAIR), f1=1.0).published_f1 == 35.8
    assert variant("lexicalized", f1=1.0).published_f1 == 45.4
    assert variant("root_match", f1=1.0).published_f1 == 50.6
    assert variant("position", f1=1.0).published_f1 is None
    assert variant("lengths", "span_words", f1=1.0).published_f1 is None


def test_written_ablations_are_read_back(tmp_path: Path) -> None:
    write_ablation(tmp_path, FULL)
    found = read_ablation(tmp_path)
    assert found.config == CONFIG
    assert set(found.variants) == set(FULL.variants)
    figures = json.loads((tmp_path / "ablation.json").read_text(encoding="utf-8"))["variants"]
    by_group = {tuple(row["without"]): row for row in figures}
    assert by_group[("lengths",)]["change"] == -1.25
    assert by_group[("lengths",)]["published_f1"] == 50.5
    assert by_group[()]["change"] is None


def test_resumes_where_it_stopped(tmp_path: Path) -> None:
    assert open_ablation(tmp_path / "new", EMPTY) == EMPTY
    assert open_ablation(tmp_path, EMPTY) == EMPTY  # an empty folder is allowed
    write_ablation(tmp_path, WHOLE)
    assert open_ablation(tmp_path, EMPTY) == WHOLE
    assert WHOLE.done == {frozenset()}


def test_another_configurations_ablation_is_refused(tmp_path: Path) -> None:
    write_ablation(tmp_path, WHOLE)
    other = {**CONFIG, "trainer": {"max_epochs": 2}}
    empty = Ablation(config_files="x.yaml", config=other, data="squad", seed=1)
    with pytest.raises(OutputError, match="ablation of another configuration") as caught:
        open_ablation(tmp_path, empty)
    assert caught.value.hint == "trainer.max_epochs is 3 there and 2 here."
    assert "--output" in caught.value.next_step
    assert read_ablation(tmp_path) == WHOLE


@pytest.mark.parametrize("is_folder", [True, False])
def test_other_files_are_left_alone(tmp_path: Path, is_folder: bool) -> None:
    place = tmp_path / "place"
    (place if is_folder else tmp_path).mkdir(exist_ok=True)
    (place / "note" if is_folder else place).write_text("keep")
    with pytest.raises(OutputError, match="exists and is not an ablation"):
        open_ablation(place, EMPTY)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"variants": [{"without": 3}]}', '{"variants": []}']
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "ablation.json").write_text(text)
    with pytest.raises(DataError, match="is not an ablation") as caught:
        read_ablation(tmp_path)
    assert "Remove it" in caught.value.next_step


@pytest.mark.parametrize(
    ("place", "changed", "told"),
    [
        ("row", {"f1": "51"}, "\"f1\" is '51'"),
        ("row", {"minutes": None}, '"minutes" is None'),
        ("row", {"total": 1.5}, '"total" is 1.5'),
        ("row", {"without": "lengths"}, "\"without\" is 'lengths'"),
        ("row", {"without": [["lengths"]]}, "\"without\" is (['lengths'],)"),
        ("row", {"commit": 7}, '"commit" is 7'),
        ("row", {"val_f1": float("nan")}, '"val_f1" is nan'),
        ("top", {"config": [1]}, '"config" is [1]'),
        ("top", {"config_files": None}, '"config_files" is None'),
        ("top", {"data": {}}, '"data" is {}'),
        ("top", {"seed": "1"}, "\"seed\" is '1'"),
    ],
)
def test_a_value_of_another_type_is_named(
    tmp_path: Path, place: str, changed: dict[str, Any], told: str
) -> None:
    write_ablation(tmp_path, WHOLE)
    path = tmp_path / "ablation.json"
    values = json.loads(path.read_text())
    (values["variants"][0] if place == "row" else values).update(changed)
    path.write_text(json.dumps(values))
    with pytest.raises(DataError) as caught:
        read_ablation(tmp_path)
    assert caught.value.what == f'"{path}": {told}'
    assert caught.value.hint.startswith("It should be ")
    assert "Remove it" in caught.value.next_step


def test_what_a_killed_ablation_left_before_its_first_variant_is_no_hindrance(
    tmp_path: Path,
) -> None:
    for name in (".squadqa.lock", ".squadqa-x.tmp"):
        (tmp_path / name).touch()
    assert open_ablation(tmp_path, EMPTY) == EMPTY

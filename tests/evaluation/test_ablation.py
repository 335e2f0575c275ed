"""Ablations on disk, as a table and as a plot."""

import json
from pathlib import Path
from typing import Any

import pytest

from squadqa.errors import DataError, OutputError
from squadqa.evaluation.ablation import (
    LEXICAL_PAIR,
    PUBLISHED_F1,
    Ablation,
    Variant,
    markdown,
    open_ablation,
    plot,
    read_ablation,
    rows,
    write_ablation,
)

CONFIG = {"model": {"groups": ["lengths", "position"], "bits": 20}, "trainer": {"max_epochs": 3}}


def variant(*without: str, f1: float, **values: Any) -> Variant:
    defaults: dict[str, Any] = {
        "exact_match": 40.0,
        "val_f1": 50.0,
        "total": 10_570,
        "parameters": 100,
        "training_minutes": 2.5,
        "minutes": 3.0,
        "commit": "0123456789abcdef-dirty",
        "hardware": "a machine",
        "device": "cpu",
    }
    return Variant(without=without, f1=f1, **{**defaults, **values})


EMPTY = Ablation(config_files="configs/logistic.yaml", config=CONFIG, data="squad", seed=1)
WHOLE = EMPTY.with_variant(variant(f1=51.25))
FULL = (
    WHOLE.with_variant(variant("position", f1=51.5, exact_match=41.04))
    .with_variant(variant("lengths", f1=50.0))
    .with_variant(variant("dependency_paths", "lexicalized", f1=36.0))
)


def test_the_published_figures_are_the_papers() -> None:
    """All features 51.0; the table's extremes, and the pair in any order."""
    assert len(PUBLISHED_F1) == 11
    assert variant(f1=1.0).published_f1 == 51.0
    assert variant(*reversed(LEXICAL_PAIR), f1=1.0).published_f1 == 35.8
    assert variant("lexicalized", f1=1.0).published_f1 == 45.4
    assert variant("root_match", f1=1.0).published_f1 == 50.6
    assert variant("position", f1=1.0).published_f1 is None
    assert variant("lengths", "span_words", f1=1.0).published_f1 is None


def test_rows_stand_in_the_order_of_what_is_lost() -> None:
    assert rows(FULL)[1:] == [
        ("nothing", "40.0", "51.2", "-", "51.0", "-"),
        ("dependency_paths + lexicalized", "40.0", "36.0", "-15.2", "35.8", "-15.2"),
        ("lengths", "40.0", "50.0", "-1.2", "50.5", "-0.5"),
        ("position", "41.0", "51.5", "+0.2", "-", "-"),
    ]


def test_without_the_whole_model_there_is_no_change() -> None:
    alone = EMPTY.with_variant(variant("lengths", f1=50.0))
    assert rows(alone)[1][3] == "-"


def test_the_page_says_where_its_figures_come_from() -> None:
    page = markdown(FULL)
    lines = page.splitlines()
    assert lines[2] == "| nothing | 40.0 | 51.2 | - | 51.0 | - |"
    assert len({line.count("|") for line in lines[:6]}) == 1
    for text in (
        "`configs/logistic.yaml` on squad: 10,570 test questions",
        "seed 1; 12 minutes for all",
        "commit 0123456-dirty.",
        "Rajpurkar et al. 2016",
    ):
        assert text in page


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_ablation(tmp_path, FULL)
    found = read_ablation(tmp_path)
    assert found.config == CONFIG
    assert set(found.variants) == set(FULL.variants)
    assert (tmp_path / "ablation.md").read_text(encoding="utf-8") == markdown(FULL)
    figures = json.loads((tmp_path / "ablation.json").read_text(encoding="utf-8"))["variants"]
    by_group = {tuple(row["without"]): row for row in figures}
    assert by_group[("lengths",)]["change"] == -1.25
    assert by_group[("lengths",)]["published_f1"] == 50.5
    assert by_group[()]["change"] is None


def test_goes_on_where_it_stopped(tmp_path: Path) -> None:
    assert open_ablation(tmp_path / "new", EMPTY) == EMPTY
    assert open_ablation(tmp_path, EMPTY) == EMPTY  # an empty folder will do
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
def test_what_is_no_ablation_is_left_alone(tmp_path: Path, is_folder: bool) -> None:
    place = tmp_path / "place"
    (place if is_folder else tmp_path).mkdir(exist_ok=True)
    (place / "note" if is_folder else place).write_text("keep")
    with pytest.raises(OutputError, match="exists and holds no ablation"):
        open_ablation(place, EMPTY)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"variants": [{"without": 3}]}', '{"variants": []}']
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "ablation.json").write_text(text)
    with pytest.raises(DataError, match="holds no ablation") as caught:
        read_ablation(tmp_path)
    assert "Remove it" in caught.value.next_step


def test_the_plot_has_a_bar_for_every_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (drawn.append(self), save(self, *a, **k))
    )
    plot(tmp_path / "plot.png", FULL)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = drawn[0].axes
    ours, theirs = axes.containers
    assert [bar.get_width() for bar in ours] == [51.25, 36.0, 50.0, 51.5]
    assert [bar.get_width() for bar in theirs] == [51.0, 35.8, 50.5]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "all groups"
    assert names[3] == "without position"
    for bar, place in zip(theirs, (0, 1, 2), strict=True):  # beside ours of the same variant
        assert place < bar.get_y() + bar.get_height() / 2 < place + 0.5

"""Ablations as a table, a page and a plot."""

from pathlib import Path

import pytest

from squadqa.errors import ConfigError
from squadqa.evaluation import ablation_report
from squadqa.evaluation.ablation_report import markdown, rows, write_plot, write_table
from tests.support.ablations import EMPTY, FULL, variant


def test_rows_are_sorted_by_loss_of_f1() -> None:
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


def test_the_page_is_written(tmp_path: Path) -> None:
    write_table(tmp_path, FULL)
    assert (tmp_path / "ablation.md").read_text(encoding="utf-8") == markdown(FULL)


def test_the_plot_has_a_bar_for_every_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (drawn.append(self), save(self, *a, **k))
    )
    write_plot(tmp_path, FULL)
    assert (tmp_path / "ablation.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = drawn[0].axes
    ours, theirs = axes.containers
    assert [bar.get_width() for bar in ours] == [51.25, 36.0, 50.0, 51.5]
    assert [bar.get_width() for bar in theirs] == [51.0, 35.8, 50.5]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "all groups"
    assert names[3] == "without position"
    for bar, place in zip(theirs, (0, 1, 2), strict=True):  # next to ours of the same variant
        assert place < bar.get_y() + bar.get_height() / 2 < place + 0.5


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation_report, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'pip install "squadqa\[plots\]"'):
        write_plot(tmp_path, FULL)
    assert not any(tmp_path.iterdir())

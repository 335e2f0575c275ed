"""The variants that an ablation trains."""

import pytest

from squadqa.errors import ConfigError
from squadqa.training.ablation import plan

GROUPS = ("lengths", "lexicalized", "root_match", "dependency_paths")


def test_each_group_is_left_out_and_the_papers_pair() -> None:
    assert plan(GROUPS) == [
        (),
        ("lengths",),
        ("lexicalized",),
        ("root_match",),
        ("dependency_paths",),
        ("lexicalized", "dependency_paths"),
    ]


@pytest.mark.parametrize(
    "groups", [("lengths", "lexicalized"), ("lexicalized", "dependency_paths")]
)
def test_no_pair_if_it_is_missing_or_is_everything(groups: tuple[str, ...]) -> None:
    assert plan(groups) == [(), (groups[0],), (groups[1],)]


def test_chosen_groups_each_once_in_the_configurations_order() -> None:
    without = ["root_match", "root_match+lengths", "lengths+root_match", "lengths+lengths"]
    assert plan(GROUPS, without) == [(), ("root_match",), ("lengths", "root_match"), ("lengths",)]


@pytest.mark.parametrize("without", ["lenghts", "root_match+lenghts"])
def test_an_unknown_group(without: str) -> None:
    with pytest.raises(ConfigError, match='"lenghts"') as caught:
        plan(GROUPS, [without])
    assert caught.value.hint == 'Did you mean "lengths"?'


@pytest.mark.parametrize(
    ("groups", "without"), [(("lengths",), None), (("lengths", "root"), ["root+lengths"])]
)
def test_something_must_be_left(groups: tuple[str, ...], without: list[str] | None) -> None:
    with pytest.raises(ConfigError, match="no feature group left"):
        plan(groups, without)

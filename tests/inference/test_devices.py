"""What a device computes with."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from squadqa.inference.devices import FEW_TOKENS, threads_for

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("lengths", "device", "threads"),
    [
        ([FEW_TOKENS], CPU, 1),
        ([FEW_TOKENS // 2, 1], CPU, 1),
        ([FEW_TOKENS + 1], CPU, 2),
        ([FEW_TOKENS // 2 + 1, 1], CPU, 2),  # with its padding
        ([1], torch.device("meta"), 2),
    ],
)
def test_little_is_computed_by_one_thread(
    lengths: list[int], device: torch.device, threads: int
) -> None:
    with threads_for(np.array(lengths), device):
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == 2


def test_there_are_as_many_threads_again_after_an_error() -> None:
    with pytest.raises(KeyError), threads_for(np.array([1]), CPU):
        raise KeyError
    assert torch.get_num_threads() == 2

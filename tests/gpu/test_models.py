"""Every model and character CNN computes on a GPU what it computes on the CPU."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from squadqa.batch import Sizes
from squadqa.data.dataset import SpanDataset
from squadqa.data.lexicon import character_ids
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.char_cnn.convolution import Method
from tests.models.readers.test_all_readers import READERS
from tests.models.scorers.test_all_scorers import SCORERS, fitted
from tests.models.scorers.test_all_scorers import made as made_scorer
from tests.nn.char_cnn.test_all_char_cnns import SMALL, WORDS
from tests.nn.char_cnn.test_all_char_cnns import made as made_char_cnn
from tests.support import tiny
from tests.support.devices import assert_same_on
from tests.support.parsed import random_data


@pytest.mark.parametrize("name", READERS)
def test_readers(name: str, device: torch.device) -> None:
    torch.manual_seed(0)
    model = READERS[name](Sizes(vector_size=6, tuned_words=5))
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    data = SpanDataset(tiny.prepared(vector_size=6), frequent=["the", "is", "."])
    batch = data.collate(range(8))
    assert_same_on(device, model, batch, lambda own, inputs: own.loss(own(inputs), inputs))


@pytest.mark.parametrize("name", SCORERS)
def test_scorers(name: str, device: torch.device) -> None:
    batch = fitted(random_data(seed=5)).collate(range(4))
    model = made_scorer(name)
    assert_same_on(device, model, batch, lambda own, inputs: own.loss(own(inputs), inputs))


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("method", ["lookup", "im2col", "library"])
@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_character_cnns(
    make: Callable[..., CharCNN], method: Method, batch_norm: bool, device: torch.device
) -> None:
    model = made_char_cnn(make, convolution=method, batch_norm=batch_norm)
    characters = torch.from_numpy(character_ids(WORDS, max_characters=16).astype(np.int64))

    def loss(own: nn.Module, inputs: Tensor) -> Tensor:
        encoded: Tensor = own(inputs)
        slopes = torch.linspace(-1, 1, encoded.numel(), device=encoded.device)
        return (encoded * slopes.view_as(encoded)).sum(dim=1)

    assert_same_on(device, model, characters, loss)

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn import InceptionCharCNN
from tests.support.spelling import layer_alone, randomized, shown, spelled


@pytest.mark.parametrize("factorized", [False, True])
def test_equals_its_layers_word_by_word(factorized: bool) -> None:
    torch.manual_seed(0)
    encoder = InceptionCharCNN(
        stem_filters=4, path_filters={1: 2, 3: 3, 5: 2}, pooled_filters=3, reduced_size=2,
        factorized=factorized,
    )  # fmt: skip
    randomized(encoder)
    words = ["a", "of", "boat", "lighthouse"]
    for word, encoded in zip(words, encoder(spelled(*words)), strict=True):
        rows = layer_alone(encoder.stem, shown(encoder, word))
        for block in encoder.blocks:
            rows = F.max_pool1d(rows, 2, stride=2, ceil_mode=True)
            seen = [layer_alone(block.pooled, F.max_pool1d(rows, 3, stride=1, padding=1))]
            for path in block.paths:
                seen.append(rows)
                for layer in path:
                    seen[-1] = layer_alone(layer, seen[-1])
            rows = torch.cat(seen, dim=1)
        torch.testing.assert_close(encoded, rows.mean(dim=2)[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("factorized", "widths"), [(False, [1, 1, 3, 1, 7]), (True, [1, 1, 3, 1, 3, 3, 3])]
)
def test_wider_paths_read_what_is_reduced(factorized: bool, widths: list[int]) -> None:
    encoder = InceptionCharCNN(
        path_filters={1: 4, 3: 5, 7: 6}, reduced_size=2, factorized=factorized
    )
    layers = [layer for path in encoder.blocks[0].paths for layer in path]
    assert [layer.weight.shape[2] for layer in layers] == widths
    assert {layer.weight.shape[1] for layer in layers if layer.weight.shape[2] > 1} == {2}
    assert encoder.output_size == 4 + 5 + 6 + 20


@pytest.mark.parametrize("factorized", [False, True])
@pytest.mark.parametrize(
    "options",
    [{"blocks": 0}, {"pooled_filters": 0}, *({"path_filters": {w: 3}} for w in (4, 0, -3))],
)
def test_impossible_blocks(options: dict[str, Any], factorized: bool) -> None:
    with pytest.raises(ConfigError, match="the character encoder cannot have"):
        InceptionCharCNN(factorized=factorized, **options)

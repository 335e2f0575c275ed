import torch
import torch.nn.functional as F

from squadqa.nn.char_cnn import AlexNetCharCNN
from tests.support.spelling import layer_alone, randomized, shown, spelled


def test_equals_its_layers_word_by_word() -> None:
    torch.manual_seed(0)
    encoder = AlexNetCharCNN(first_filters={3: 2, 7: 3}, second_filters=4, output_size=6)
    randomized(encoder)
    words = ["a", "of", "boat", "lighthouse"]
    for word, encoded in zip(words, encoder(spelled(*words)), strict=True):
        characters = shown(encoder, word)
        rows = torch.cat([layer_alone(layer, characters) for layer in encoder.first], dim=1)
        rows = F.max_pool1d(rows, 2, stride=2, ceil_mode=True)
        rows = layer_alone(encoder.second, rows)
        expected = encoder.connected(rows.amax(dim=2)).relu()[0]
        torch.testing.assert_close(encoded, expected, atol=1e-5, rtol=1e-5)


def test_drops_in_front_of_its_last_layer() -> None:
    encoder = AlexNetCharCNN(dropout=0.25)
    given = []
    encoder.connected.register_forward_hook(lambda _, inputs, __: given.append(inputs[0]))
    torch.manual_seed(0)
    encoder.train()(spelled("lighthouse", "boat"))
    encoder.eval()(spelled("lighthouse", "boat"))
    dropped, kept = given
    is_kept = dropped != 0
    assert 0.5 < float(is_kept[kept != 0].float().mean()) < 0.95
    torch.testing.assert_close(dropped[is_kept], kept[is_kept] / 0.75)

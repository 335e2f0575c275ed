"""Words for character encoders, and their layers word by word, computed by the library."""

import torch
import torch.nn.functional as F
from torch import Tensor

from squadqa.batch import NUM_CHARACTERS
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.char_cnn.convolution import Convolution


def spelled(*words: str, width: int = 0) -> Tensor:
    """Ids of words' characters, 0 after a word's end; every code point has one."""
    width = max(width, 1, *map(len, words))
    ids = [[1 + (ord(letter) - 1) % (NUM_CHARACTERS - 1) for letter in word] for word in words]
    return torch.tensor([word + [0] * (width - len(word)) for word in ids])


def shown(encoder: CharCNN, word: str) -> Tensor:
    """A word as input of the library's layers: (1, D, length)."""
    embedded: Tensor = encoder.characters(spelled(word))
    return embedded.transpose(1, 2)


def layer_alone(layer: Convolution, shown: Tensor) -> Tensor:
    """A layer's output for one word in evaluation: (1, D, length) to (1, F, length)."""
    convolved = F.conv1d(shown, layer.weight, layer.bias, padding="same")
    if layer.norm is not None:
        norm = layer.norm
        assert norm.running_mean is not None and norm.running_var is not None
        convolved = F.batch_norm(
            convolved, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )
    return layer.activation(convolved) if layer.activation else convolved


def randomized(encoder: CharCNN) -> CharCNN:
    """The encoder in evaluation, with random biases and running statistics."""
    for name, value in encoder.state_dict().items():
        if name.endswith("bias") or "running_mean" in name:
            value.normal_()
        elif "running_var" in name:
            value.uniform_(0.5, 2.0)
    return encoder.eval()

"""The shared character encoder: one interface, several architectures."""

from squadqa.nn.char_cnn.alexnet import AlexNetCharCNN
from squadqa.nn.char_cnn.base import CharCNN
from squadqa.nn.char_cnn.inception import InceptionCharCNN
from squadqa.nn.char_cnn.kernel_bank import KernelBankCharCNN
from squadqa.nn.char_cnn.resnet import ResNetCharCNN
from squadqa.nn.char_cnn.vgg import VGGCharCNN

__all__ = [
    "AlexNetCharCNN",
    "CharCNN",
    "InceptionCharCNN",
    "KernelBankCharCNN",
    "ResNetCharCNN",
    "VGGCharCNN",
]

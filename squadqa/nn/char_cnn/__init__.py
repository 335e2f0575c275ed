"""The shared character encoder: one interface, several architectures."""

from squadqa.nn.char_cnn.base import CharCNN
from squadqa.nn.char_cnn.kernel_bank import KernelBankCharCNN

__all__ = ["CharCNN", "KernelBankCharCNN"]

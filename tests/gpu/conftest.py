"""The device of these tests: a GPU, or the one that SQUADQA_TEST_DEVICE names to try them out."""

import os
from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def device() -> Iterator[torch.device]:
    """A GPU that computes in full float32; without one the test is skipped."""
    named = os.environ.get("SQUADQA_TEST_DEVICE", "cuda")
    if named == "cuda" and not torch.cuda.is_available():
        pytest.skip("a GPU is needed, and PyTorch finds none here")
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    yield torch.device(named)
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before

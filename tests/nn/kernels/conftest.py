import pytest
import torch

from tests.support.kernels import Remove, take_fast_form_away, take_operator_away


@pytest.fixture
def remove(monkeypatch: pytest.MonkeyPatch) -> Remove:
    """Takes operators and fast forms away, until the test ends."""

    def remove(what: str | type[torch.autograd.Function]) -> None:
        if isinstance(what, str):
            take_operator_away(what, monkeypatch)
        else:
            take_fast_form_away(what, monkeypatch)

    return remove

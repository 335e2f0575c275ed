import pytest
import torch

from squadqa.nn.kernels import available, gated_attention, gru, match_lstm, products, sru
from squadqa.nn.kernels.available import has, has_fast_bfloat16, supports_fast_form

OPERATORS = sorted(
    {
        *available.CPU_BFLOAT16_CHECKS,
        *gated_attention.OPERATORS,
        *gru.STEP_OPERATORS,
        *match_lstm.OPERATORS,
        *sru.OPERATORS,
        *(products.PRODUCT, products.LAYOUT),
    }
)


@pytest.mark.parametrize("name", OPERATORS)
def test_the_torch_that_is_tested_has_every_operator(name: str) -> None:
    assert has(name)


@pytest.mark.parametrize(
    "name",
    [
        "torch.no_such_function",
        "torch.ops.aten.no_such_operator",
        "torch.ops.aten.sigmoid_backward.no_such_overload",
        "torch.ops.no_such_library.no_such_operator",
    ],
)
def test_what_torch_lacks_is_no_error(name: str) -> None:
    assert not has(name)


def test_a_fast_form_needs_all_its_operators_and_a_device_it_was_written_for() -> None:
    tensor = torch.zeros(1)
    assert supports_fast_form(tensor)
    assert supports_fast_form(tensor, operators=OPERATORS)
    assert not supports_fast_form(tensor, operators=[*OPERATORS, "torch.no_such_function"])
    assert not supports_fast_form(tensor.to("meta"), operators=OPERATORS)


def test_no_device_without_data_is_fast_at_bfloat16() -> None:
    assert not has_fast_bfloat16(torch.device("meta"))


@pytest.mark.parametrize("is_fast", [True, False])
def test_bfloat16_is_fast_where_the_processor_says_so(
    is_fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(available, "_find", lambda name: lambda: is_fast)
    assert has_fast_bfloat16(torch.device("cpu")) == is_fast


def test_a_torch_that_does_not_say_is_slow_at_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(available, "has", lambda name: False)
    assert not has_fast_bfloat16(torch.device("cpu"))

import pytest
import torch

from squadqa.errors import ConfigError
from squadqa.nn.dropout import SequenceDropout, TypeDropout


def test_evaluation_and_zero_change_nothing() -> None:
    sequence = torch.randn(2, 3, 4)
    for variational in (False, True):
        assert SequenceDropout(0.5, variational=variational).eval()(sequence) is sequence
        assert SequenceDropout(0.0, variational=variational)(sequence) is sequence


def test_variational_drops_a_feature_in_the_whole_sequence() -> None:
    torch.manual_seed(0)
    dropped = SequenceDropout(0.5, variational=True)(torch.ones(20, 7, 30))
    assert dropped.eq(dropped[:, :1]).all()
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert not dropped.eq(dropped[:1]).all()


def test_every_step_has_its_own_mask_otherwise() -> None:
    torch.manual_seed(0)
    dropped = SequenceDropout(0.5)(torch.ones(20, 7, 30))
    assert not dropped.eq(dropped[:, :1]).all()


def test_mean_is_kept() -> None:
    torch.manual_seed(0)
    for variational in (False, True):
        dropped = SequenceDropout(0.2, variational=variational)(torch.ones(200, 5, 100))
        assert abs(dropped.mean() - 1) < 0.02


def test_input_is_not_changed() -> None:
    sequence = torch.ones(2, 3, 4)
    SequenceDropout(0.9, variational=True)(sequence)
    assert sequence.eq(1).all()


@pytest.mark.parametrize("share", [-0.1, 1, 1.5])
def test_a_share_is_no_more_than_nearly_all(share: float) -> None:
    with pytest.raises(ConfigError, match=f"cannot be {share}"):
        SequenceDropout(share)


def test_word_forms_are_dropped_whole() -> None:
    torch.manual_seed(0)
    dropped = TypeDropout(0.5)(torch.ones(40, 3))
    assert dropped.eq(dropped[:, :1]).all()
    assert set(dropped.unique().tolist()) == {0.0, 2.0}


def test_no_word_forms_are_dropped_in_evaluation_or_with_a_share_of_0() -> None:
    forms = torch.randn(4, 3)
    assert TypeDropout(0.5).eval()(forms) is forms
    assert TypeDropout(0.0)(forms) is forms
    with pytest.raises(ConfigError, match="cannot be 1"):
        TypeDropout(1)

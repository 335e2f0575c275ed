import pytest
import torch
from torch import nn

from squadqa.batch import FormBatch, Sizes
from squadqa.errors import ConfigError
from squadqa.models.token_encoder import TokenEncoder
from squadqa.nn.char_cnn import KernelBankCharCNN


def form_batch() -> FormBatch:
    """Padding, two frequent forms and a rare one."""
    torch.manual_seed(0)
    vectors = torch.randn(4, 3)
    vectors[0] = 0
    return FormBatch(
        characters=torch.tensor([[0, 0], [97, 0], [98, 99], [120, 0]]),
        vectors=vectors,
        frequent=torch.tensor([0, 1, 2, 0]),
    )


def test_without_other_parts_it_returns_the_vectors() -> None:
    forms = form_batch()
    encoder = TokenEncoder(Sizes(3, 1000))
    assert encoder.output_size == 3
    assert encoder(forms).equal(forms.vectors)


def test_characters_are_joined_to_the_vector() -> None:
    forms = form_batch()
    char_cnn = KernelBankCharCNN(filters={1: 5}, character_size=4)
    encoder = TokenEncoder(Sizes(3, 1000), char_cnn=char_cnn)
    assert encoder.output_size == 8
    assert encoder(forms).equal(torch.cat([forms.vectors, char_cnn(forms.characters)], dim=1))


def test_padding_is_zero_whatever_follows() -> None:
    forms = form_batch()
    char_cnn = KernelBankCharCNN(filters={1: 5}, character_size=4)
    encoder = TokenEncoder(Sizes(3, 1000), char_cnn=char_cnn, output_size=6, tuned_words=2)
    assert isinstance(encoder.projection, nn.Linear)
    nn.init.ones_(encoder.projection.bias)
    encoded = encoder(forms)
    assert encoded.shape == (4, encoder.output_size) == (4, 6)
    assert not encoded[0].any()
    assert encoded[1:].any(dim=1).all()


def test_only_the_most_frequent_forms_are_tuned() -> None:
    forms = form_batch()
    encoder = TokenEncoder(Sizes(3, 1000), tuned_words=1)
    assert encoder(forms).equal(forms.vectors)  # tuning starts at the pretrained vectors
    encoder(forms).sum().backward()
    gradient = encoder.tuning.weight.grad
    assert gradient is not None
    assert gradient.tolist() == [[0, 0, 0], [1, 1, 1]]
    nn.init.ones_(encoder.tuning.weight[1:])
    assert encoder(forms).equal(forms.vectors + torch.tensor([[0.0], [1], [0], [0]]))


def test_characters_are_dropped_in_training_only() -> None:
    forms = form_batch()
    char_cnn = KernelBankCharCNN(filters={1: 50}, character_size=4)
    encoder = TokenEncoder(Sizes(3, 1000), char_cnn=char_cnn, char_dropout=0.5)
    assert not encoder(forms).equal(encoder(forms))
    assert encoder(forms)[:, :3].equal(forms.vectors)
    encoder.eval()
    assert encoder(forms).equal(encoder(forms))


def test_a_negative_number_of_tuned_words_is_refused() -> None:
    with pytest.raises(ConfigError, match="tuned_words cannot be -3"):
        TokenEncoder(Sizes(3, 1000), tuned_words=-3)


def test_more_tuned_words_than_the_data_has_are_refused() -> None:
    with pytest.raises(
        ConfigError, match="cannot tune 1,001 words: data.inputs.tuned_words is 1,000"
    ):
        TokenEncoder(Sizes(3, 1000), tuned_words=1001)


def test_words_without_vectors_are_refused() -> None:
    with pytest.raises(ConfigError, match="the data has no word vectors"):
        TokenEncoder(Sizes())

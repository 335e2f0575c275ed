"""What holds for every architecture of the character encoder, whatever its options."""

import io
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from squadqa.batch import NUM_CHARACTERS, Sizes
from squadqa.data.dataset import SpanDataset
from squadqa.data.lexicon import character_ids
from squadqa.errors import ConfigError
from squadqa.inference.catalog import catalog
from squadqa.models.token_encoder import TokenEncoder
from squadqa.nn.char_cnn import (
    AlexNetCharCNN,
    CharCNN,
    InceptionCharCNN,
    KernelBankCharCNN,
    ResNetCharCNN,
    VGGCharCNN,
)
from squadqa.nn.char_cnn.convolution import Activation, Convolution, Method
from tests.support import tiny
from tests.support.spelling import randomized, spelled

SMALL: dict[str, Callable[..., CharCNN]] = {
    "kernel_bank": lambda **options: KernelBankCharCNN(filters={1: 3, 3: 4, 5: 5}, **options),
    "alexnet": lambda **options: AlexNetCharCNN(
        first_filters={3: 4, 7: 3}, second_filters=6, output_size=5, **options
    ),
    "vgg": lambda **options: VGGCharCNN(stages=[4, 6], **options),
    "inception": lambda **options: InceptionCharCNN(
        stem_filters=4, path_filters={1: 2, 3: 3, 5: 2}, pooled_filters=2, reduced_size=3, **options
    ),
    "inception_factorized": lambda **options: InceptionCharCNN(
        stem_filters=4, path_filters={1: 2, 5: 3}, reduced_size=3, factorized=True, **options
    ),
    "resnet": lambda **options: ResNetCharCNN(stages=[4, 6], stage_blocks=2, **options),
}
KINDS = [KernelBankCharCNN, AlexNetCharCNN, VGGCharCNN, InceptionCharCNN, ResNetCharCNN]
WORDS = ["", "a", "of", "the", "boat", "naïve", "🥐", "\U0010ffff中文", "lighthouse", "1871–1902"]

every_member = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
with_and_without_batch_norm = pytest.mark.parametrize("batch_norm", [True, False])


def made(make: Callable[..., CharCNN], *, seed: int = 0, **options: Any) -> CharCNN:
    """An evaluating encoder with nothing at its first value."""
    torch.manual_seed(seed)
    return randomized(make(**{"character_size": 4, **options}))


def test_no_member_is_missing() -> None:
    exported = {entry.name for entry in catalog() if entry.kind == "character CNN"}
    assert {kind.__name__ for kind in KINDS} == exported
    assert {type(make()).__name__ for make in SMALL.values()} == exported


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_give_vectors_of_one_width(kind: type[CharCNN]) -> None:
    encoder = kind()
    assert encoder.output_size == 100
    assert encoder(spelled("a", "boat")).shape == (2, 100)


@every_member
@with_and_without_batch_norm
def test_shape_and_finiteness(make: Callable[..., CharCNN], batch_norm: bool) -> None:
    encoder = made(make, batch_norm=batch_norm)
    for encoded in (encoder(spelled(*WORDS)), encoder.train()(spelled(*WORDS))):
        assert encoded.shape == (len(WORDS), encoder.output_size)
        assert encoded.isfinite().all()
        assert not encoded[0].any()


@every_member
@with_and_without_batch_norm
@settings(max_examples=15)
@given(
    words=st.lists(st.text(max_size=12), min_size=1, max_size=6),
    extra=st.integers(0, 9),
    method=st.sampled_from(get_args(Method)),
)
def test_alone_in_company_and_padded_are_the_same(
    make: Callable[..., CharCNN], batch_norm: bool, words: list[str], extra: int, method: Method
) -> None:
    encoder = made(make, batch_norm=batch_norm, convolution=method).double()
    together = encoder(spelled(*words, width=max(map(len, words)) + extra))
    backwards = encoder(spelled(*words[::-1])).flip(0)
    alone = torch.cat([encoder(spelled(word)) for word in words])
    torch.testing.assert_close(together, alone)
    torch.testing.assert_close(together, backwards)


@every_member
@pytest.mark.parametrize("method", get_args(Method))
def test_company_and_padding_change_nothing_in_single_precision(
    make: Callable[..., CharCNN], method: Method
) -> None:
    encoder = made(make, batch_norm=True, convolution=method)
    company = [word * (1 + number % 3) for number in range(20) for word in WORDS]
    together = encoder(spelled(*WORDS, *company, "x" * 500, width=700))[: len(WORDS)]
    alone = torch.cat([encoder(spelled(word)) for word in WORDS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


@every_member
def test_reads_what_it_has_never_seen_and_what_is_too_long(make: Callable[..., CharCNN]) -> None:
    encoder = made(make)
    forms = ["中文", "\U0010ffff", "\x00", "a", "pre" + "x" * 50 + "ing", "pre" + "y" * 9 + "ing"]
    ids = torch.from_numpy(character_ids(forms, max_characters=6)).long()
    assert ids.shape[1] == 6 and int(ids.max()) < NUM_CHARACTERS
    encoded = encoder(ids)
    assert encoded.isfinite().all()
    assert encoded.any(dim=1).all()
    short = encoder(spelled("preing"))[0]  # both ends are kept
    torch.testing.assert_close(encoded[4:], short.expand(2, -1), atol=1e-5, rtol=1e-5)


@every_member
@with_and_without_batch_norm
def test_padding_changes_nothing_in_training(
    make: Callable[..., CharCNN], batch_norm: bool
) -> None:
    words = WORDS[1:]

    def train(characters: Tensor, chosen: slice) -> list[Tensor]:
        encoder = made(make, batch_norm=batch_norm, dropout=0.0).double().train()
        encoded = encoder(characters)
        encoded.square().sum().backward()
        gradients = [parameter.grad for parameter in encoder.parameters()]
        return [encoded[chosen], *gradients, *encoder.buffers()]

    padded = train(spelled("", *words, "", "", width=30), slice(1, len(words) + 1))
    torch.testing.assert_close(padded, train(spelled(*words), slice(None)))


@every_member
def test_batch_norm_counts_each_character_once(make: Callable[..., CharCNN]) -> None:
    encoder = made(make, batch_norm=True).train()
    seen: dict[nn.BatchNorm1d, Tensor] = {}

    def remember(norm: nn.BatchNorm1d, rows: tuple[Tensor], _: Tensor) -> None:
        seen[norm] = rows[0]

    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = 1.0  # what it saw last is all it remembers
            module.register_forward_hook(remember)
    encoder(spelled(*WORDS, width=20))
    assert len(next(iter(seen.values()))) == sum(map(len, WORDS))
    for norm, rows in seen.items():
        torch.testing.assert_close(norm.running_mean, rows.mean(dim=0))
        torch.testing.assert_close(norm.running_var, rows.var(dim=0))


@every_member
def test_batch_norm_counts_a_form_once_however_often_it_stands_there(
    make: Callable[..., CharCNN],
) -> None:
    dataset = SpanDataset(tiny.prepared(vector_size=4))

    def statistics(questions: list[int]) -> list[Tensor]:
        encoder = TokenEncoder(Sizes(4, 1000), char_cnn=made(make, batch_norm=True)).train()
        encoder(dataset.collate(questions).forms)
        return list(encoder.buffers())

    once = statistics([0])
    assert len(once) > 0
    assert all(map(torch.equal, once, statistics([0, 0, 0, 0])))
    assert not all(map(torch.equal, once, statistics([0, 5])))


@every_member
@with_and_without_batch_norm
@pytest.mark.parametrize("words", [["x"], ["", "x"], [""]], ids=["one", "one-and-none", "none"])
@pytest.mark.parametrize("method", get_args(Method))
def test_trains_on_next_to_nothing(
    make: Callable[..., CharCNN], batch_norm: bool, words: list[str], method: Method
) -> None:
    encoder = made(make, batch_norm=batch_norm, convolution=method).train()
    encoded = encoder(spelled(*words))
    encoded.sum().backward()
    assert encoded.shape == (len(words), encoder.output_size)
    for value in (encoded, *encoder.state_dict().values()):
        assert value.isfinite().all()
    for parameter in encoder.parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all()


@every_member
@with_and_without_batch_norm
def test_every_parameter_gets_a_gradient(make: Callable[..., CharCNN], batch_norm: bool) -> None:
    encoder = made(make, batch_norm=batch_norm, activation="elu").train()
    encoded = encoder(spelled(*WORDS))
    (encoded * torch.randn_like(encoded)).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
    assert encoder.characters.weight.grad is not None
    assert not encoder.characters.weight.grad[0].any()


@every_member
def test_all_ways_to_convolve_are_one(make: Callable[..., CharCNN]) -> None:
    def train(method: Method) -> list[Tensor | None]:
        encoder = made(make, convolution=method, batch_norm=True, dropout=0.0).double().train()
        encoded = encoder(spelled(*WORDS))
        encoded.square().sum().backward()
        return [encoded, *(parameter.grad for parameter in encoder.parameters())]

    for method in ("im2col", "lookup"):
        torch.testing.assert_close(train(method), train("library"))
    layers = [m for m in made(make, convolution="im2col").modules() if isinstance(m, Convolution)]
    assert {layer.method for layer in layers} == {"im2col"}


@every_member
def test_options_are_chosen_by_name(make: Callable[..., CharCNN]) -> None:
    words = spelled(*WORDS)
    encoded = [made(make, activation=name)(words) for name in get_args(Activation)]
    encoded += [made(make, initialization="xavier")(words), made(make, character_size=7)(words)]
    for number, one in enumerate(encoded):
        assert not any(one.allclose(other) for other in encoded[:number])
    encoder = made(make, dropout=0.5)
    assert encoder(words).equal(encoder(words))
    encoder.train()
    assert not encoder(words).equal(encoder(words))


@every_member
def test_seed_decides_the_first_weights(make: Callable[..., CharCNN]) -> None:
    words, encoded = spelled(*WORDS), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        encoded.append(make().eval()(words))
    assert encoded[0].equal(encoded[1])
    assert not encoded[0].allclose(encoded[2])


@every_member
@with_and_without_batch_norm
@pytest.mark.parametrize("method", get_args(Method))
def test_trains_in_half_precision(
    make: Callable[..., CharCNN], batch_norm: bool, method: Method
) -> None:
    encoder = made(make, batch_norm=batch_norm, convolution=method, dropout=0.0)
    exact = encoder(spelled(*WORDS))
    with torch.autocast("cpu", torch.bfloat16):
        rough = encoder(spelled(*WORDS))
    torch.testing.assert_close(rough.float(), exact, atol=0.1, rtol=0.1)
    rough.float().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


@every_member
@pytest.mark.parametrize("options", [{"dropout": 1.0}, {"dropout": -0.1}, {"character_size": 0}])
def test_impossible_options(make: Callable[..., CharCNN], options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the character encoder cannot have"):
        make(**options)


@every_member
def test_order_of_characters_matters(make: Callable[..., CharCNN]) -> None:
    one, other = made(make)(spelled("stop", "pots"))
    assert not one.allclose(other)


@every_member
def test_overfits_a_few_words(make: Callable[..., CharCNN]) -> None:
    encoder = made(make, dropout=0.0, activation="elu").train()
    output = nn.Linear(encoder.output_size, len(WORDS))
    optimizer = torch.optim.Adam([*encoder.parameters(), *output.parameters()], lr=0.02)
    for _ in range(60):
        loss = nn.functional.cross_entropy(
            output(encoder(spelled(*WORDS))), torch.arange(len(WORDS))
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.3


@every_member
@with_and_without_batch_norm
def test_saved_and_loaded_encodes_the_same(make: Callable[..., CharCNN], batch_norm: bool) -> None:
    one, other = (made(make, batch_norm=batch_norm, seed=seed) for seed in (0, 1))
    words, file = spelled(*WORDS), io.BytesIO()
    assert not other(words).equal(one(words))
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert other(words).equal(one(words))

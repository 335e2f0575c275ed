"""Properties of every scorer of candidates."""

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.batch import CandidateBatch, Sizes
from squadqa.data.candidates.dataset import CandidateDataset
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.prepare import PreparedData
from squadqa.errors import ConfigError
from squadqa.inference.catalog import catalog
from squadqa.models import CandidateScorer, LogisticScorer, MLPScorer, RaSoRScorer
from squadqa.nn.char_cnn import KernelBankCharCNN
from squadqa.nn.decoding import CONSIDERED
from squadqa.nn.losses import candidate_bce, candidate_nll
from tests.support.mostly_slow import mostly_slow
from tests.support.parsed import Question, Text, prepared, random_data

BUCKETS, VECTOR_SIZE = 4, 5
SIZES = Sizes(VECTOR_SIZE, num_buckets=BUCKETS)
SEEDS = st.integers(0, 2**32)

SCORERS: dict[str, Callable[..., CandidateScorer]] = {
    "logistic": lambda sizes=SIZES: LogisticScorer(sizes, table_bits=12),
    "mlp": lambda sizes=SIZES: MLPScorer(
        sizes,
        char_cnn=KernelBankCharCNN(filters={3: 6}, character_size=4),
        table_bits=12,
        embedding_size=12,
        hidden_size=16,
        dropout=0.0,
    ),
    "mlp without characters": lambda sizes=SIZES: MLPScorer(
        sizes, table_bits=12, groups=["lengths", "tag_sequence"], embedding_size=12, hidden_size=16
    ),
    "rasor": lambda sizes=SIZES: RaSoRScorer(
        sizes,
        char_cnn=KernelBankCharCNN(filters={3: 6}, character_size=4),
        embedding_size=12,
        hidden_size=8,
        score_size=16,
        embedding_dropout=0.0,
        dropout=0.0,
    ),
    "rasor of the paper": lambda sizes=SIZES: RaSoRScorer(
        sizes,
        embedding_size=12,
        hidden_size=16,
        cell="lstm",
        word_in_question=False,
        embedding_dropout=0.0,
        dropout=0.0,
    ),
}
USUAL = {type(make()): name for name, make in reversed(SCORERS.items())}.values()
"""The first of each class, for what takes long; the others are slow tests of it."""

NAMES = {name: name for name in SCORERS}
every_scorer = pytest.mark.parametrize("name", NAMES)
mostly_slowly = pytest.mark.parametrize("name", mostly_slow(NAMES, usual=USUAL, seconds=120))


def test_no_scorer_is_missing() -> None:
    tried = {type(make()).__name__ for make in SCORERS.values()}
    assert tried == {entry.name for entry in catalog() if entry.kind == "scorer"}


def with_vectors(data: PreparedData) -> PreparedData:
    forms = len(data.tokens.lexicon)
    vectors = np.random.default_rng(1).normal(size=(forms, VECTOR_SIZE)).astype(np.float32)
    return replace(data, vectors=vectors, vectors_found=np.ones((forms, 1), bool))


def fitted(data: PreparedData) -> CandidateDataset:
    data = with_vectors(data)
    inputs = CandidateInputs(num_buckets=BUCKETS, vectors=["made up"])
    inputs.fit(data, np.arange(len(data.ids)))
    return inputs.dataset(data)


def made(name: str) -> CandidateScorer:
    """A scorer with random weights, evaluating."""
    torch.manual_seed(3)
    model = SCORERS[name]()
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding) and module.padding_idx is not None:
            module.weight.data[module.padding_idx] = 0.0
    return model.eval()


def loss_of(model: CandidateScorer, batch: CandidateBatch) -> torch.Tensor:
    return candidate_nll(model(batch), batch.candidate_mask, batch.candidate_labels)


@every_scorer
@settings(max_examples=20)
@given(seed=SEEDS, parse=st.booleans())
def test_padding_other_questions_and_order_change_nothing(
    name: str, seed: int, parse: bool
) -> None:
    dataset, model = fitted(random_data(seed, parse=parse)), made(name)
    places = list(range(len(dataset)))
    together, backwards = model(dataset.collate(places)), model(dataset.collate(places[::-1]))
    torch.testing.assert_close(together, backwards.flip(0), atol=1e-4, rtol=1e-4)
    for place in places:
        batch = dataset.collate([place])
        count = int(batch.candidate_mask.sum())
        torch.testing.assert_close(model(batch)[0], together[place, :count], atol=1e-4, rtol=1e-4)
        assert (together[place, count:] < -1e30).all()


@mostly_slowly
def test_every_parameter_learns_and_four_questions_are_overfitted(name: str) -> None:
    dataset = fitted(random_data(36))  # all features occur
    batch = dataset.collate(range(len(dataset)))
    assert batch.candidate_labels.any(dim=1).tolist() == [True] * 4
    torch.manual_seed(1)
    model = SCORERS[name]()
    learner = torch.optim.Adam(model.parameters(), lr=0.02)
    seen = set()
    for step in range(150):
        learner.zero_grad()
        loss_of(model, batch).mean().backward()
        if step < 3:  # after a layer that starts at zero, gradients come a step later
            seen |= {n for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
        learner.step()
    model.eval()
    chosen = model(batch).argmax(dim=1, keepdim=True)
    assert batch.candidate_labels.gather(1, chosen).all()
    # The bias of a softmax's scores changes nothing, so it cannot learn; no word is tuned here.
    idle = {"question_pooling.query.bias", "output.bias", "words.tuning.weight"}
    assert {n for n, _ in model.named_parameters()} - seen <= idle


@every_scorer
def test_weights_saved_and_loaded_give_equal_logits(name: str) -> None:
    batch = fitted(random_data(5)).collate([0])
    model, again = made(name), SCORERS[name]().eval()
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    again.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(model(batch), again(batch))


@every_scorer
def test_row_without_candidates_is_finite_and_has_no_gradient(name: str) -> None:
    batch, model = fitted(random_data(7)).collate([0]), made(name)
    empty = {
        "candidate_mask": torch.zeros_like(batch.candidate_mask),
        "candidate_labels": torch.zeros_like(batch.candidate_labels),
    }
    batch = replace(batch, **empty)
    loss = loss_of(model, batch)
    assert loss.tolist() == [0.0]
    loss.sum().backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(torch.isfinite(g).all() and not g.any() for g in gradients)


@mostly_slowly
@pytest.mark.parametrize("parse", [True, False])
def test_one_token_and_five_thousand(name: str, parse: bool) -> None:
    one = Text([[("Ann", 0)]])
    long = Text([[("Ann", 1), ("ate", 1), ("apples", 1), (",", 1)]] * 1250)
    asked = Question(Text([[("apples", 0)]]), 0, (0, 0))  # without a wh-word
    data = prepared(
        [one, long], [asked, replace(asked, paragraph=1, answer=(4998, 4998))], parse=parse
    )
    dataset, model = fitted(data), made(name)
    for batch in (dataset.collate([0]), dataset.collate([1]), dataset.collate([0, 1])):
        logits = model(batch)
        assert torch.isfinite(logits[batch.candidate_mask]).all()
        assert batch.candidate_mask.any(dim=1).all()
        loss_of(model, batch).sum().backward()


def test_the_logistic_regression_joins_the_mlp_for_the_last_pass() -> None:
    batch, model = fitted(random_data(36)).collate([0]), made("mlp")
    assert isinstance(model, MLPScorer)
    mask = batch.candidate_mask
    both = model(batch)
    model.start_epoch(0, epochs=2)
    alone = model(batch)
    model.start_epoch(1, epochs=2)
    torch.testing.assert_close(model(batch), both)
    torch.testing.assert_close((alone + model.linear.scores(batch))[mask], both[mask])
    parts = sum(model.group_scores(batch).values(), torch.zeros(mask.shape))
    torch.testing.assert_close(parts[mask], both[mask], atol=1e-4, rtol=1e-4)


def test_the_mlps_parameters_are_in_one_group_each() -> None:
    model = SCORERS["mlp"]()
    perceptron, linear = model.parameter_groups()
    assert linear["lr"] == 0.2 and "lr" not in perceptron
    grouped = [id(p) for group in (perceptron, linear) for p in group["params"]]
    assert sorted(grouped) == sorted(map(id, model.parameters()))


def test_mlp_without_vectors_says_so() -> None:
    with pytest.raises(ConfigError, match="the data has no word vectors"):
        MLPScorer(Sizes(num_buckets=BUCKETS))
    with pytest.raises(ConfigError, match="reads nothing of lexicalized"):
        MLPScorer(SIZES, groups=["lexicalized"])


@pytest.mark.parametrize("loss", [candidate_nll, candidate_bce])
def test_losses_ignore_padding_and_unlabelled_questions(
    loss: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, 9.0], [3.0, 1.0, 0.0, 0.0]], requires_grad=True)
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]], dtype=torch.bool)
    labels = torch.tensor([[0, 1, 0, 0], [0, 0, 0, 0]], dtype=torch.bool)
    losses = loss(logits, mask, labels)
    torch.testing.assert_close(losses[0], loss(logits[:1, :3], mask[:1, :3], labels[:1, :3])[0])
    assert losses[1] == 0.0
    losses.sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, :3].all() and not logits.grad[0, 3] and not logits.grad[1].any()


@every_scorer
@settings(max_examples=10)
@given(seed=SEEDS)
def test_the_candidate_of_the_highest_expected_f1_can_be_chosen(name: str, seed: int) -> None:
    dataset, model = fitted(random_data(seed)), made(name)
    batch = dataset.collate(range(len(dataset)))
    logits = model(batch)
    _, probable = model.best_spans(logits, batch, n_best=3)
    model.choose = "expected_f1"
    spans, scores = model.best_spans(logits, batch, n_best=3)
    assert scores.shape == probable.shape
    shares = logits.softmax(dim=1)
    for row in range(len(batch)):
        expected = []
        kept = batch.candidate_mask[row].nonzero().flatten().tolist()
        among = sorted(kept, key=lambda place: -logits[row, place].item())[:CONSIDERED]
        places = {
            place: counted_places(batch, row, batch.candidate_spans[row, place]) for place in among
        }
        for mine in among:
            expected.append(
                sum(
                    shares[row, other].item()
                    * 2
                    * len(places[mine] & places[other])
                    / max(1, len(places[mine]) + len(places[other]))
                    for other in among
                )
            )
        best = counted_places(batch, row, spans[row, 0])
        reached = max(
            value for value, place in zip(expected, among, strict=True) if places[place] == best
        )
        assert reached == pytest.approx(max(expected), abs=1e-4)


def counted_places(batch: CandidateBatch, row: int, span: torch.Tensor) -> frozenset[int]:
    first, last = span.tolist()
    return frozenset(place for place in range(first, last + 1) if batch.tree.counted[row, place])


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(ConfigError, match='choose cannot be "f1"'):
        LogisticScorer(SIZES, choose="f1")  # type: ignore[arg-type]

"""Batches in parts: their content, and equal results."""

from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.models.base import SpanLogits, SpanReader
from squadqa.models.readers.bilstm import BiLSTMReader
from squadqa.training import module as training_module
from squadqa.training.parts import parts
from squadqa.training.span_module import SpanModule
from tests.support import tiny

QUESTIONS = 8
TEXTS = SpanDataset(tiny.prepared(vector_size=6)).collate(range(QUESTIONS))
TAUGHT = replace(
    TEXTS,
    taught_starts=torch.rand(TEXTS.context_ids.shape) * TEXTS.context_mask,
    taught_ends=torch.rand(TEXTS.context_ids.shape) * TEXTS.context_mask,
)

LONG = tiny.join(
    tiny.one_question("one two 3 four " * 1250, "two?", [("two", 4)], id="long"),
    *(
        tiny.one_question(f"short {'and ' * n}sweet", "Is it?", [("short", 0)], id=f"short {n}")
        for n in range(15)
    ),
)


def in_parts(most_pairs: int, batch: SpanBatch = TEXTS) -> list[tuple[Tensor, SpanBatch]]:
    return parts(batch, most_pairs=most_pairs)


@given(most_pairs=st.integers(1, 10_000))
def test_parts_contain_each_row_once_with_all_tokens_and_no_padding(most_pairs: int) -> None:
    found = in_parts(most_pairs, TAUGHT)
    assert torch.cat([rows for rows, _ in found]).sort().values.tolist() == list(range(QUESTIONS))
    for rows, part in found:
        assert part.forms is TAUGHT.forms
        longest = max(part.context_ids.shape[1], part.question_ids.shape[1])
        assert len(part) == 1 or len(part) * longest**2 <= most_pairs
        for field in fields(SpanBatch):
            if field.name == "forms" or field.name.startswith("paragraph"):
                continue
            if field.name == "unanswerable":
                assert part.unanswerable is None
                continue
            kept, whole = getattr(part, field.name), getattr(TAUGHT, field.name)[rows]
            if kept.dim() > 1:
                assert part is TAUGHT or kept[-1].any() or whole.any() == kept.any()
                assert not whole[:, kept.shape[1] :].any(), field.name  # all zero where padded
                whole = whole[:, : kept.shape[1]]
            assert torch.equal(kept, whole), field.name
        assert part is TAUGHT or bool(part.context_mask.any(dim=0).all())
        assert part is TAUGHT or bool(part.question_mask.any(dim=0).all())


@given(most_pairs=st.integers(1, 10_000))
def test_parts_know_which_of_their_questions_have_no_answer(most_pairs: int) -> None:
    without = torch.arange(QUESTIONS) % 3 == 0
    for rows, part in parts(replace(TEXTS, unanswerable=without), most_pairs=most_pairs):
        assert part.unanswerable is not None
        assert torch.equal(part.unanswerable, without[rows])


@given(most_pairs=st.integers(1, 10_000))
def test_parts_know_which_of_their_questions_share_a_context(most_pairs: int) -> None:
    assert TEXTS.paragraphs is not None
    for rows, part in in_parts(most_pairs):
        assert part.paragraphs is not None
        assert part.paragraph_rows is not None
        paragraphs = TEXTS.paragraphs[rows]
        assert paragraphs[part.paragraph_rows][part.paragraphs].equal(paragraphs)
        assert len(part.paragraph_rows) == len(paragraphs.unique())


def test_parts_share_no_contexts_if_the_batch_does_not() -> None:
    alone = replace(TEXTS, paragraphs=None, paragraph_rows=None)
    found = in_parts(1, alone)
    assert len(found) == QUESTIONS
    assert all(part.paragraphs is part.paragraph_rows is None for _, part in found)


def test_a_batch_within_the_limit_stays_whole_and_in_its_order() -> None:
    padded = max(TEXTS.context_ids.shape[1], TEXTS.question_ids.shape[1])
    ((rows, part),) = in_parts(QUESTIONS * padded**2)
    assert part is TEXTS
    assert rows.tolist() == list(range(QUESTIONS))
    assert len(in_parts(QUESTIONS * padded**2 - 1)) > 1


class Shapes(BiLSTMReader):
    """A reader that records its inputs."""

    seen: list[tuple[int, ...]]

    def forward(self, batch: SpanBatch, context_encoded: Tensor | None = None) -> SpanLogits:
        self.seen.append(tuple(batch.context_ids.shape))
        return super().forward(batch, context_encoded)


def module() -> SpanModule:
    def make(sizes: Sizes) -> SpanReader:
        torch.manual_seed(0)
        reader = Shapes(sizes, hidden_size=4, dropout=0.0)
        reader.seen = []
        return reader

    made = SpanModule(make)
    made.model = made.make_model(Sizes(6))
    return made


def test_one_long_context_is_read_with_one_other() -> None:
    batch = SpanDataset(tiny.prepared(LONG, vector_size=6)).collate(range(16))
    assert batch.context_ids.shape == (16, 5000)
    for read in (module().losses, module().predict_spans):
        read(batch)
        shapes = read.__self__.model.seen  # type: ignore[attr-defined]
        assert shapes == [(2, 5000), (14, 15)]


@pytest.mark.parametrize("most_pairs", [1, 400, 1000])
def test_parts_change_no_loss_no_gradient_and_no_answer(
    most_pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parted = module(), module()
    losses = whole.losses(TEXTS)
    spans, _, certainties = whole.predict_spans(TEXTS, temperatures=(1.0, 2.0))
    monkeypatch.setattr(training_module, "parts", lambda batch: in_parts(most_pairs, batch))
    found = parted.losses(TEXTS)
    assert len(parted.active.seen) > 1  # type: ignore[operator,arg-type]
    torch.testing.assert_close(found, losses)
    found_spans, found_losses, found_certainties = parted.predict_spans(
        TEXTS, temperatures=(1.0, 2.0)
    )
    assert torch.equal(found_spans, spans)
    torch.testing.assert_close(found_losses, losses)
    torch.testing.assert_close(found_certainties, certainties, equal_nan=True)
    losses.mean().backward()
    found.mean().backward()
    for one, other in zip(whole.active.parameters(), parted.active.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_parts_are_computed_again_with_the_same_random_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gradients(recompute: bool) -> list[Tensor]:
        made = module()
        for layer in made.active.modules():
            if isinstance(getattr(layer, "probability", None), float):
                layer.probability = 0.5  # type: ignore[assignment]
        with monkeypatch.context() as patched:
            patched.setattr(training_module, "parts", lambda batch: in_parts(400, batch))
            if not recompute:
                patched.setattr(
                    training_module, "recomputed", lambda function, part: function(part)
                )
            torch.manual_seed(5)
            losses = made.losses(TEXTS)
            torch.manual_seed(6)  # what is drawn in between
            losses.mean().backward()
        return [losses, *(one.grad for one in made.active.parameters() if one.grad is not None)]

    for one, other in zip(gradients(True), gradients(False), strict=True):
        torch.testing.assert_close(one, other)
    assert not torch.equal(gradients(True)[0], module().losses(TEXTS)), "nothing was dropped"


def test_nothing_of_a_part_is_kept_for_its_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(most_pairs: int) -> int:
        numbers = 0

        def count(tensor: Tensor) -> Tensor:
            nonlocal numbers
            numbers += tensor.numel()
            return tensor

        monkeypatch.setattr(training_module, "parts", lambda batch: in_parts(most_pairs, batch))
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            module().losses(TEXTS)
        return numbers

    assert kept(400) < kept(10**9) / 20

import pytest
import torch
from torch import Tensor

from squadqa.batch import Sizes
from squadqa.data.dataset import SpanDataset
from squadqa.errors import ConfigError
from squadqa.models.embedder import Embedder
from tests.support import tiny

FILE = tiny.join(
    tiny.one_question("The cat sat , said Ida", "Where did the Cat sit , Ida ?", [("cat", 4)]),
    tiny.one_question("No", "Why ?", [("No", 0)], id="other"),
)
BATCH = SpanDataset(tiny.prepared(FILE, vector_size=5)).collate([0, 1])


def embedder(**options: object) -> Embedder:
    given = {"char_cnn": None, "embedding_size": None, "tuned_words": 0, **options}
    return Embedder(Sizes(5), **given)  # type: ignore[arg-type]


def looked_up(ids: Tensor) -> Tensor:
    return torch.nn.functional.embedding(ids, BATCH.forms.vectors)


def test_looks_up_each_form_for_both_texts() -> None:
    context, question = embedder()(BATCH)
    assert context.equal(looked_up(BATCH.context_ids))
    assert question.equal(looked_up(BATCH.question_ids))


def test_marks_forms_and_lower_cased_forms_in_the_question() -> None:
    module = embedder(word_in_question=True)
    assert (module.word_size, module.output_size) == (5, 7)
    context, asked = module(BATCH)
    assert context[:, :, :5].equal(looked_up(BATCH.context_ids))
    assert asked[:, :, :5].equal(looked_up(BATCH.question_ids))
    # The cat sat , said Ida
    assert context[0, :, 5].tolist() == [0, 0, 0, 1, 0, 1]
    assert context[0, :, 6].tolist() == [1, 1, 0, 1, 0, 1]
    assert not context[1, :, 5:].any()
    assert asked[0, :, 5:].tolist() == [[1, 1]] * 8
    assert asked[1, :, 5:].tolist() == [[1, 1]] * 2 + [[0, 0]] * 6


@pytest.mark.parametrize(("plain", "name"), [(False, "none"), (True, "before")])
def test_true_and_false_are_names_too(plain: bool, name: str) -> None:
    one, other = embedder(word_in_question=plain), embedder(word_in_question=name)
    assert one.word_in_question == other.word_in_question == name
    for left, right in zip(one(BATCH), other(BATCH), strict=True):
        assert left.equal(right)


def test_marks_come_after_the_encoder_if_asked_for() -> None:
    module = embedder(word_in_question="after")
    assert (module.output_size, module.num_marks) == (5, 2)
    context, asked = module(BATCH)
    assert context.equal(embedder()(BATCH)[0])
    assert asked.equal(module.embed_question(BATCH))
    marked, told = embedder(word_in_question=True)(BATCH)
    assert module.mark_context(context, BATCH).equal(marked)
    assert module.mark_question(asked, BATCH).equal(told)


@pytest.mark.parametrize("name", ["none", "before"])
def test_nothing_is_marked_after_the_encoder_otherwise(name: str) -> None:
    module = embedder(word_in_question=name)
    context, asked = module(BATCH)
    assert module.num_marks == 0
    assert module.mark_context(context, BATCH) is context
    assert module.mark_question(asked, BATCH) is asked


def test_an_unknown_place_of_the_marks_is_refused() -> None:
    with pytest.raises(ConfigError, match='word_in_question cannot be "afterwards"'):
        embedder(word_in_question="afterwards")


@pytest.mark.parametrize("name", ["none", "after"])
def test_embeds_only_the_contexts_of_some_rows(name: str) -> None:
    module = embedder(word_in_question=name)
    context, asked = module(BATCH)
    chosen, all_asked = module(BATCH, rows=torch.tensor([1]))
    assert chosen.equal(context[1:])
    assert all_asked.equal(asked)


def test_marks_are_never_dropped() -> None:
    torch.manual_seed(0)
    module = embedder(word_in_question=True, dropout=0.9)
    context, _ = module(BATCH)
    assert not context[:, :, :5].equal(looked_up(BATCH.context_ids))
    assert context[0, :, 6].tolist() == [1, 1, 0, 1, 0, 1]
    assert module.eval()(BATCH)[0][:, :, :5].equal(looked_up(BATCH.context_ids))


def test_highway_layers_read_each_form() -> None:
    plain, changed = embedder(), embedder(num_highway_layers=1)
    assert not changed(BATCH)[0].equal(plain(BATCH)[0])
    assert changed(BATCH)[0].shape == plain(BATCH)[0].shape


def test_a_dropped_form_is_dropped_in_both_texts() -> None:
    torch.manual_seed(0)
    dropping = embedder(type_dropout=0.5)
    context, question = dropping(BATCH)
    whole = embedder()(BATCH)
    kept = {}
    for ids, dropped, embedded in zip(
        (BATCH.context_ids, BATCH.question_ids), (context, question), whole, strict=True
    ):
        for form, one, other in zip(
            ids.flatten().tolist(), dropped.flatten(0, 1), embedded.flatten(0, 1), strict=True
        ):
            is_kept = bool(one.any())
            assert one.equal(2 * other if is_kept else 0 * other)
            assert kept.setdefault(form, is_kept) == is_kept
    assert len(set(kept.values())) == 2
    assert dropping.eval()(BATCH)[0].equal(whole[0])

import torch
from torch import Tensor

from squadqa.batch import Sizes
from squadqa.data.dataset import SpanDataset
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

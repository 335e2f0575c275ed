import torch

from squadqa.data.dataset import SpanDataset
from squadqa.models.word_in_question import WordInQuestion
from tests.support import tiny

FILE = tiny.join(
    tiny.one_question("The cat sat , said Ida", "Where did the Cat sit , Ida ?", [("cat", 4)]),
    tiny.one_question("No", "Why ?", [("No", 0)], id="other"),
)
BATCH = SpanDataset(tiny.prepared(FILE)).collate([0, 1])


def test_tells_forms_and_lower_cased_forms_that_the_question_holds() -> None:
    module = WordInQuestion(True)
    context = torch.randn(*BATCH.context_ids.shape, 5)
    question = torch.randn(*BATCH.question_ids.shape, 5)
    told, asked = module(BATCH, context, question)
    assert module.size == 2
    assert told[:, :, :5].equal(context)
    assert asked[:, :, :5].equal(question)
    # The cat sat , said Ida
    assert told[0, :, 5].tolist() == [0, 0, 0, 1, 0, 1]
    assert told[0, :, 6].tolist() == [1, 1, 0, 1, 0, 1]
    assert not told[1, :, 5:].any()
    assert asked[0, :, 5:].tolist() == [[1, 1]] * 8
    assert asked[1, :, 5:].tolist() == [[1, 1]] * 2 + [[0, 0]] * 6


def test_off_tells_nothing() -> None:
    module = WordInQuestion(False)
    context, question = torch.randn(2, 6, 5), torch.randn(2, 8, 5)
    assert module.size == 0
    told, asked = module(BATCH, context, question)
    assert told is context
    assert asked is question

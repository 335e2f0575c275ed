"""RaSoR's form: candidates are scored by the encodings of their ends."""

import torch

from squadqa.batch import CandidateBatch
from squadqa.models import RaSoRScorer
from tests.models.scorers.test_all_scorers import SIZES, fitted
from tests.support.parsed import random_data


def batch() -> CandidateBatch:
    return fitted(random_data(36)).collate(range(4))


def scorer(**options: object) -> RaSoRScorer:
    torch.manual_seed(0)
    given = {"embedding_size": 8, "hidden_size": 6, "score_size": 5, **options}
    return RaSoRScorer(SIZES, **given).eval()  # type: ignore[arg-type]


def test_a_candidates_score_is_that_of_its_two_ends() -> None:
    read, model = batch(), scorer()
    logits, encoded = model(read), model.encode(read)
    first_weight, last_weight = model.ends.weight.chunk(2)
    bias = sum(model.ends.bias.chunk(2))
    for row in range(len(read)):
        for place in read.candidate_mask[row].nonzero().flatten().tolist():
            first, last = read.candidate_spans[row, place].tolist()
            ends = first_weight @ encoded[row, first] + last_weight @ encoded[row, last]
            expected = model.output((ends + bias).relu())
            torch.testing.assert_close(logits[row, place], expected[0], atol=1e-5, rtol=1e-4)


def test_every_token_reads_the_question_as_a_whole_and_its_own_part_of_it() -> None:
    read, model = batch(), scorer(word_in_question=False)
    whole = model.encode(read)
    torch.nn.init.zeros_(model.asked.weight)
    without_independent = model.encode(read)
    assert not without_independent.allclose(whole)
    model.described.weight.detach()[:, 8:].zero_()
    assert not model.encode(read).allclose(without_independent)


def test_the_words_of_the_question_are_marked_if_asked_for() -> None:
    assert (
        scorer().described.in_features == scorer(word_in_question=False).described.in_features + 2
    )


def test_it_trains_in_mixed_precision_without_an_lstm() -> None:
    assert scorer().mixes_on_cpu
    assert not scorer(cell="lstm").mixes_on_cpu

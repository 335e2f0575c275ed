from collections import Counter

import numpy as np

from squadqa.batch import Sizes
from squadqa.data.inputs import SpanInputs
from tests.support import tiny


def test_fit_counts_each_context_once_and_each_question() -> None:
    data = tiny.prepared()
    rows = np.array([1, 0, 4])
    forms = [data.tokens.lexicon[form] for form in data.tokens.forms]
    texts = [0, 1, *(len(data.contexts) + rows)]
    bounds = data.tokens.bounds
    counts = Counter(form for text in texts for form in forms[bounds[text] : bounds[text + 1]])
    expected = sorted(counts, key=lambda form: (-counts[form], form))
    inputs = SpanInputs(tuned_words=5)
    inputs.fit(data, rows)
    assert inputs.frequent == expected[:5]


def test_loaded_state_equals_the_fitted_one() -> None:
    data = tiny.prepared()
    inputs, other = SpanInputs(tuned_words=3), SpanInputs(tuned_words=3)
    inputs.fit(data, np.arange(8))
    other.load_state_dict(inputs.state_dict())
    batches = [each.dataset(data).collate([0, 1]) for each in (inputs, other)]
    assert batches[0].forms.frequent.equal(batches[1].forms.frequent)
    assert batches[0].forms.frequent.max() == 3


def test_options_reach_the_data_set() -> None:
    data = tiny.prepared(vector_size=4)
    inputs = SpanInputs(max_characters=3, tuned_words=7)
    dataset = inputs.dataset(data, np.array([5, 6]))
    assert len(dataset) == 2
    assert dataset.collate([0, 1]).forms.characters.shape[1] == 3
    assert len(inputs.dataset(data)) == 8


def test_fitting_and_loading_give_the_sizes() -> None:
    inputs, other = SpanInputs(tuned_words=7), SpanInputs(tuned_words=7)
    inputs.fit(tiny.prepared(vector_size=4), np.arange(8))
    other.load_state_dict(inputs.state_dict())
    assert inputs.sizes == other.sizes == Sizes(vector_size=4, tuned_words=7)


def test_one_source_of_vectors_may_be_a_string() -> None:
    assert SpanInputs(vectors="a").vectors == SpanInputs(vectors=["a"]).vectors == ["a"]

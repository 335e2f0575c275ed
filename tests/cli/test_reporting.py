"""The report of a warm start."""

from squadqa.cli.reporting import taken_lines
from squadqa.training.warm_start import TakenWeights


def test_parts_that_only_one_model_has_take_a_line_each() -> None:
    result = TakenWeights(
        taken=("words.tuning", "rnn.weight"),
        reshaped={"words.projection": ((3, 2), (4, 2))},
        missing=("words.bias", "highway.weight", "highway.bias"),
        unused=("rnn.bias", "aligned.weight", "aligned.bias"),
    )
    assert taken_lines(result) == [
        "took 1 of 3 weights of words",
        "took 1 of 1 weights of rnn",
        "took 0 of 2 weights of highway, which is missing there",
        "not words.projection: 3 x 2 here, 4 x 2 there",
        "not words.bias: missing there",
        "left rnn.bias: missing here",
        "left 2 weights of aligned, which is missing here",
        "most weights do not fit: train with the other run's configuration",
    ]


def test_a_warm_start_from_another_model_says_what_to_do() -> None:
    result = TakenWeights(taken=("a.x",), reshaped={}, missing=("b.x", "b.y"), unused=("c.x",))
    assert taken_lines(result)[-1].startswith("most weights do not fit: ")

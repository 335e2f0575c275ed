import pickle

import pytest

from squadqa.errors import ConfigError, DataError, SquadQAError, did_you_mean


def test_message_has_a_line_for_each_part() -> None:
    error = SquadQAError("what", hint="hint", next_step="next")
    assert str(error) == "what\nhint\nnext"
    assert str(SquadQAError("what", next_step="next")) == "what\nnext"


def test_a_kind_is_caught_as_the_general_error_and_as_a_value_error() -> None:
    for kind in (SquadQAError, ValueError):
        with pytest.raises(kind):
            raise DataError("x")


def test_error_can_be_pickled_with_all_parts() -> None:
    error = ConfigError("what", hint="hint", next_step="next")
    copied = pickle.loads(pickle.dumps(error))
    assert isinstance(copied, ConfigError)
    assert str(copied) == str(error)
    assert (copied.what, copied.hint, copied.next_step) == ("what", "hint", "next")


@pytest.mark.parametrize(
    ("word", "choices", "said"),
    [
        ("ft", ["test", "fit"], 'Did you mean "fit"?'),
        ("zzz", ["test", "fit"], 'Known: "fit", "test".'),
        ("zzz", [], ""),
    ],
)
def test_did_you_mean(word: str, choices: list[str], said: str) -> None:
    assert did_you_mean(word, choices) == said

import pytest

from squadqa.data.squad import Columns, Reading
from squadqa.errors import ConfigError


def test_names_as_text_and_as_a_mapping() -> None:
    expected = Columns(question="q", context="my text")
    assert Columns.of("question=q,context=my text") == expected
    assert Columns.of(" question = q , context = my text ") == expected
    assert Columns.of({"question": "q", "context": "my text"}) == expected
    assert Columns.of(expected) is expected
    assert Columns.of(None) == Columns()


def test_a_name_may_hold_the_sign() -> None:
    assert Columns.of("question=a=b").question == "a=b"


def test_what_was_changed() -> None:
    assert Columns.of("question=q,context=context").changed == {"question": "q"}
    assert Columns().changed == {}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("", 'columns cannot be ""'),
        ("question", 'columns cannot be "question"'),
        ("question=", 'columns cannot be "question="'),
        ("question=q,", 'columns cannot be "question=q,"'),
        ("qestion=q", 'columns name "qestion", which no question has\nDid you mean "question"?'),
        ("question=q,question=x", 'columns name "question" twice'),
        (5, "columns cannot be 5"),
        ({"question": 5}, 'the column "question" cannot be 5'),
    ],
)
def test_other_names_are_refused(names: object, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Columns.of(names)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_reading_is_checked() -> None:
    with pytest.raises(ConfigError, match='find_answers cannot be "frist"\nDid you mean "first"'):
        Reading.of(None, "frist")
    assert Reading.of("question=q", "all").settings == {
        "columns": {"question": "q"},
        "find_answers": "all",
    }
    assert Reading.of().settings == {}

"""docs/api.md is made from the docstrings, and describes every argument."""

import textwrap
from pathlib import Path

import griffe
import pytest

from squadqa.errors import DataError
from tests.support.runs import ROOT
from tools.api_page import PAGE, SECTIONS, Section, api_page

SOURCE = '''
"""A package of our own."""

from dataclasses import dataclass
from typing import Literal, overload

Colour = Literal["red", "green"]
"""Colours there are."""


class Lamp:
    """A lamp.

    >>> Lamp("red").is_on

    Args:
        colour: Its colour.
        most_watts: What it takes
            at most.

    Raises:
        ValueError: It takes nothing.
    """

    def __init__(self, colour: Colour, *, most_watts: float = 60.0) -> None:
        """Not shown."""

    @property
    def is_on(self) -> bool:
        """Whether it shines."""

    @overload
    def turn(self, way: Literal["on"]) -> bool: ...

    @overload
    def turn(self, way: Literal["off"]) -> None: ...

    def turn(self, way):
        """Turn it.

        Args:
            way: Which way.

        Returns:
            Whether
            it shines.
        """

    def _hidden(self) -> None:
        """Not shown."""


class Bulb(Lamp):
    """A lamp that is made as any other."""

    def turn(self, way):
        return True


def bare(length: int) -> int:
    return length
'''

EXPECTED = """\
## Light

What shines.

### squadqa.Lamp

```python
Lamp(colour: Literal["red", "green"], *, most_watts: float = 60.0)
```

A lamp.

```python
>>> Lamp("red").is_on
```

- `colour`: Its colour.
- `most_watts`: What it takes at most.

Raises:

- `ValueError`: It takes nothing.

#### Lamp.is_on

```python
is_on: bool
```

Whether it shines.

#### Lamp.turn

```python
turn(way: Literal["on"]) -> bool
turn(way: Literal["off"]) -> None
```

Turn it.

- `way`: Which way.

Returns: Whether it shines.

### squadqa.Bulb

```python
class Bulb(Lamp)
```

A lamp that is made as any other.
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with a small package named squadqa."""
    (tmp_path / "squadqa").mkdir()
    (tmp_path / "squadqa" / "__init__.py").write_text(textwrap.dedent(SOURCE), encoding="utf-8")
    return tmp_path


def section(*names: str, **members: tuple[str, ...]) -> Section:
    shown = {f"squadqa.{name}": chosen for name, chosen in members.items()}
    return Section("Light", "What shines.", tuple(f"squadqa.{name}" for name in names), shown)


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert page == api_page(ROOT), "run: python tools/api_page.py"


def test_an_object_is_shown_with_its_members(package: Path) -> None:
    page = api_page(package, [section("Lamp", "Bulb")])
    assert page.partition("\n\n- Light: ")[2].partition("\n\n")[2] == EXPECTED
    assert "- Light: [Lamp](#squadqalamp), [Bulb](#squadqabulb)\n" in page


def test_members_can_be_chosen(package: Path) -> None:
    page = api_page(package, [section("Lamp", Lamp=("is_on",))])
    assert "#### Lamp.is_on" in page
    assert "#### Lamp.turn" not in page


@pytest.mark.parametrize(
    ("name", "said"), [("Lantern", 'no "squadqa.Lantern"'), ("bare", "no docstring")]
)
def test_what_cannot_be_shown(name: str, said: str, package: Path) -> None:
    with pytest.raises(DataError, match=said):
        api_page(package, [section(name)])


def test_every_argument_of_the_api_is_described() -> None:
    package = griffe.load(
        "squadqa", search_paths=[ROOT], docstring_parser="google", try_relative_path=False
    )
    for one in SECTIONS:
        for name in one.names:
            shown = package[name.removeprefix("squadqa.")]
            shown = shown.final_target if shown.is_alias else shown
            own = shown.is_function or shown.labels & {"dataclass"} or "__init__" in shown.members
            taken = {parameter.name for parameter in shown.parameters} - {"self"} if own else set()
            described = {
                parameter.name
                for part in shown.docstring.parsed
                if part.kind is griffe.DocstringSectionKind.parameters
                for parameter in part.value
            }
            assert taken == described, name

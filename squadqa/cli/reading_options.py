"""Options that say how data are read, which commands share."""

import argparse
from typing import TYPE_CHECKING

from squadqa.cli.parser import CommandParser

if TYPE_CHECKING:
    from squadqa.data.squad import Reading, Source

FIND_ANSWERS = ("error", "first", "all")
"""The values of `squadqa.data.squad.FindAnswers`."""


def add_reading_options(parser: CommandParser, *, default: str | None = "error") -> None:
    """Add the options that say how data are read.

    Args:
        parser: The command's parser.
        default: What to do with answers as text where the option is not given; None leaves that to
            the configuration.
    """
    parser.add_argument(
        "--columns",
        metavar="NAMES",
        help="names of columns: question=q,context=text",
    )
    parser.add_argument(
        "--find-answers",
        metavar="HOW",
        choices=FIND_ANSWERS,
        default=default,
        help="look up answers without places: first, all, or error",
    )


def add_language_option(parser: CommandParser) -> None:
    """Add the option that names the language of texts."""
    parser.add_argument(
        "--language",
        metavar="CODE",
        help="texts' language, as de or de_core_news_sm",
    )


def reading_of(options: argparse.Namespace) -> "Reading":
    """Return how data are to be read.

    Args:
        options: The command's, with those of `add_reading_options`.

    Raises:
        ConfigError: The names of columns have another form.
    """
    from squadqa.data.squad import Reading

    return Reading.of(
        options.columns, options.find_answers, questions=getattr(options, "questions", None)
    )


def source_of(options: argparse.Namespace) -> "Source":
    """Find the questions that a command's options name.

    Args:
        options: The command's, with those of `add_data_option`.

    Raises:
        DataError: There are no such data.
        ConfigError: The names of columns have another form.
    """
    from squadqa.data.squad import find_source

    return find_source(options.data, reading=reading_of(options))

"""The parser of trainings, made where this is imported: in the server that `forked` forks."""

from contextlib import suppress

from squadqa.cli.lightning_parser import parse
from squadqa.errors import ConfigError

with suppress(ConfigError):  # it names no model
    parse(["fit"])

"""Questions from files of many formats or by name, each checked against its format.

Reference: Rajpurkar et al., 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text.
"""

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.content import content_digest
from squadqa.data.squad.places import FindAnswers
from squadqa.data.squad.read import BadAnswers, SquadData, Unanswerable, read_squad
from squadqa.data.squad.reading import Reading
from squadqa.data.squad.source import Source, find_source

__all__ = [
    "BadAnswers",
    "Columns",
    "FindAnswers",
    "Reading",
    "Source",
    "SquadData",
    "Unanswerable",
    "content_digest",
    "find_source",
    "read_squad",
]

"""SQuAD v1.1 data from a file or by name, checked against its schema.

Reference: Rajpurkar et al., 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text.
"""

from squadqa.data.squad.read import BadAnswers, SquadData, Unanswerable, read_squad
from squadqa.data.squad.source import Source, content_digest, find_source

__all__ = [
    "BadAnswers",
    "Source",
    "SquadData",
    "Unanswerable",
    "content_digest",
    "find_source",
    "read_squad",
]

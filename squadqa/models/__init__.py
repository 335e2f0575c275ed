"""Readers that point at answers and scorers that rank candidates: one paper, one file."""

from squadqa.models.base import SpanLogits, SpanReader
from squadqa.models.drqa import DrQAReader

__all__ = ["DrQAReader", "SpanLogits", "SpanReader"]

"""Readers that point at answers and scorers that rank candidates: one paper, one file."""

from squadqa.models.base import CandidateScorer, SpanLogits, SpanReader
from squadqa.models.bidaf import BiDAF
from squadqa.models.bilstm import BiLSTMReader
from squadqa.models.drqa import DrQAReader
from squadqa.models.logistic import LogisticScorer
from squadqa.models.mlp import MLPScorer

__all__ = [
    "BiDAF",
    "BiLSTMReader",
    "CandidateScorer",
    "DrQAReader",
    "LogisticScorer",
    "MLPScorer",
    "SpanLogits",
    "SpanReader",
]

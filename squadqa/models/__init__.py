"""Readers that point at answers and scorers that rank candidates: one paper, one file."""

from squadqa.models.base import CandidateScorer, SpanLogits, SpanReader
from squadqa.models.bidaf import BiDAF
from squadqa.models.bilstm import BiLSTMReader
from squadqa.models.dcn import DCN
from squadqa.models.drqa import DrQAReader
from squadqa.models.logistic import LogisticScorer
from squadqa.models.match_lstm import MatchLSTM
from squadqa.models.mlp import MLPScorer
from squadqa.models.rnet import RNet

__all__ = [
    "DCN",
    "BiDAF",
    "BiLSTMReader",
    "CandidateScorer",
    "DrQAReader",
    "LogisticScorer",
    "MLPScorer",
    "MatchLSTM",
    "RNet",
    "SpanLogits",
    "SpanReader",
]

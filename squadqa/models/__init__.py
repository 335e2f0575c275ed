"""Readers that point at answers and scorers that rank candidates: one paper, one file."""

from squadqa.models.base import CandidateScorer, SpanLogits, SpanReader
from squadqa.models.readers.bidaf import BiDAF
from squadqa.models.readers.bilstm import BiLSTMReader
from squadqa.models.readers.dcn import DCN
from squadqa.models.readers.drqa import DrQAReader
from squadqa.models.readers.house import HouseReader
from squadqa.models.readers.match_lstm import MatchLSTM
from squadqa.models.readers.rnet import RNet
from squadqa.models.scorers.logistic import LogisticScorer
from squadqa.models.scorers.mlp import MLPScorer
from squadqa.models.scorers.rasor import RaSoRScorer

__all__ = [
    "DCN",
    "BiDAF",
    "BiLSTMReader",
    "CandidateScorer",
    "DrQAReader",
    "HouseReader",
    "LogisticScorer",
    "MLPScorer",
    "MatchLSTM",
    "RNet",
    "RaSoRScorer",
    "SpanLogits",
    "SpanReader",
]

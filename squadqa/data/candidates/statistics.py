"""Statistics of train that the feature groups use: rarity of words and bigrams, and bucket edges.

References: Rajpurkar et al. 2016 (arXiv 1606.05250), section 5.1; Shirakawa, Hara and Nishio,
2015, N-gram IDF: A Global Term Weighting Scheme Based on Information Distance (WWW), section 3.

Weights are stored as whole numbers, 1.0 as `UNIT`, so that their sums are exact and every device
puts a candidate into the same bucket.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.errors import shown

UNIT = 1024
"""The whole number that stands for a weight of 1.0."""

Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]

_BIGRAM_CHUNK = 1 << 14
"""Number of bigrams whose words' paragraphs are intersected at a time: tens of MB on SQuAD."""


@dataclass(frozen=True)
class Rarity:
    """Weights of words or bigrams by their hash.

    Args:
        hashes: (K,) known hashes, sorted.
        weights: (K,) their weights.
        unseen: Weight of any other: that of an item which occurs in one paragraph.
    """

    hashes: Hashes
    weights: NDArray[np.int32]
    unseen: int

    def __getitem__(self, hashes: Hashes) -> NDArray[np.int32]:
        """Look up the weights of hashes, of any shape."""
        if not len(self.hashes):
            return np.full(hashes.shape, self.unseen, np.int32)
        places = np.searchsorted(self.hashes, hashes)
        places[places == len(self.hashes)] = 0
        found = self.hashes[places] == hashes
        return np.where(found, self.weights[places], np.int32(self.unseen))

    def state_dict(self) -> dict[str, Any]:
        """Return the table as tensors and plain values."""
        return {
            "hashes": torch.from_numpy(self.hashes.view(np.int64).copy()),
            "weights": torch.from_numpy(self.weights.copy()),
            "unseen": self.unseen,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Rarity":
        """Restore what `state_dict` returned.

        Raises:
            KeyError, TypeError, ValueError: The state has another form.
        """
        hashes = _array(state["hashes"], np.int64, (None,)).view(np.uint64)
        weights = _array(state["weights"], np.int32, (len(hashes),))
        unseen = state["unseen"]
        if not (hashes[1:] > hashes[:-1]).all():
            raise ValueError("the hashes are not in order")
        if type(unseen) is not int or not 0 <= unseen < 2**31:
            raise ValueError(f"the weight of what is not known is {shown(unseen)}")
        return cls(hashes, weights, unseen)


def hash_words(words: Sequence[str]) -> Hashes:
    """Return words' 64-bit hashes, which are the same in every process and on every machine."""
    digests = b"".join(hashlib.blake2b(w.encode(), digest_size=8).digest() for w in words)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def mix(hashes: Hashes) -> Hashes:
    """Mix hashes over all 64 bits; equal ones stay equal (the finisher of splitmix64)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def hash_bigrams(words: Hashes) -> Hashes:
    """Hash each word with the next one; the last gets 0.

    Args:
        words: (T,) hashes of words in their order.
    """
    hashes = np.zeros_like(words)
    hashes[:-1] = mix(words[:-1] * np.uint64(3) + words[1:])
    return hashes


def word_rarity(words: Hashes, paragraphs: Ints) -> Rarity:
    """Measure words' inverse document frequency, log(D / df); a document is a paragraph.

    Args:
        words: (T,) hash of each token's word.
        paragraphs: (T,) paragraph of each token, numbered from 0 without a gap.
    """
    number = int(paragraphs.max(initial=-1)) + 1
    hashes, frequencies = np.unique(_postings(words, paragraphs)[0], return_counts=True)
    return Rarity(hashes, _weights(np.log(number / frequencies)), _unseen(number))


def bigram_rarity(words: Hashes, paragraphs: Ints, joined: NDArray[np.bool_]) -> Rarity:
    """Measure bigrams' inverse document frequency, as generalised by Shirakawa et al.

    log(D * df(bigram) / df(both its words)²): words that occur together by chance have a low
    weight, down to 0.

    Args:
        words: (T,) hash of each token's word.
        paragraphs: (T,) paragraph of each token, numbered from 0 without a gap.
        joined: (T,) True on a token that makes a bigram with the next one.
    """
    number = int(paragraphs.max(initial=-1)) + 1
    first = np.flatnonzero(joined)
    bigrams = hash_bigrams(words)[first]
    bigrams_once, places = _postings(bigrams, paragraphs[first])
    hashes, example, frequencies = np.unique(bigrams_once, return_index=True, return_counts=True)
    left = first[places[example]]
    both = _meetings(words, paragraphs, words[left], words[left + 1])
    weights = _weights(np.log(number * frequencies / both.astype(np.float64) ** 2))
    informative = weights != _unseen(number)
    return Rarity(hashes[informative], weights[informative], _unseen(number))


@dataclass(frozen=True)
class ValueStatistics:
    """Statistics of the continuous features in train.

    Args:
        bucket_edges: (V, buckets - 1) ascending edges of the features' buckets: bucket k has the
            values from edge k - 1 up to, but without, edge k.
        value_means: (V,) means.
        value_deviations: (V,) standard deviations; 1 if a feature is constant.
    """

    bucket_edges: Ints
    value_means: NDArray[np.float32]
    value_deviations: NDArray[np.float32]

    @classmethod
    def of(cls, values: Ints, *, num_buckets: int) -> "ValueStatistics":
        """Compute the statistics of a sample of candidates.

        Args:
            values: (M, V) whole numbers from 0: V features of M candidates.
            num_buckets: How many buckets, two or more.
        """
        deviations = values.std(axis=0) if len(values) else np.zeros(values.shape[1])
        means = values.mean(axis=0) if len(values) else np.zeros(values.shape[1])
        return cls(
            bucket_edges=bucket_edges(values, num_buckets=num_buckets),
            value_means=means.astype(np.float32),
            value_deviations=np.where(deviations > 0, deviations, 1.0).astype(np.float32),
        )

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the fields as tensors that share their memory."""
        return {name: torch.from_numpy(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_tensors(cls, tensors: dict[str, torch.Tensor]) -> "ValueStatistics":
        """Restore what `tensors` returned.

        Raises:
            KeyError, TypeError, ValueError: The tensors have another form.
        """
        edges = _array(tensors["bucket_edges"], np.int64, (None, None))
        means, deviations = (
            _array(tensors[name], np.float32, (len(edges),))
            for name in ("value_means", "value_deviations")
        )
        if not (np.isfinite(means).all() and (deviations > 0).all()):
            raise ValueError("the statistics of a feature are no numbers")
        return cls(edges, means, deviations)


def bucket_edges(values: Ints, *, num_buckets: int) -> Ints:
    """Find the buckets of each feature: one for 0, and the others equally full.

    Args:
        values: (M, V) whole numbers from 0: V features of M candidates.
        num_buckets: How many buckets, two or more.

    Returns:
        (V, num_buckets - 1) ascending edges: bucket k has the values from edge k - 1 up to, but
        without, edge k.
    """
    edges = np.ones((values.shape[1], num_buckets - 1), np.int64)
    shares = np.arange(1, num_buckets - 1) / (num_buckets - 1)
    for feature, column in zip(edges, values.T, strict=True):
        positive = column[column > 0]
        if len(positive):
            feature[1:] = np.quantile(positive, shares, method="higher")
    return edges


def _array(tensor: Any, kind: type, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Return a tensor as an array, if it has this type and shape; None leaves a size open."""
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{shown(tensor)} is not a tensor")
    array: NDArray[Any] = tensor.detach().numpy()
    sizes = zip(array.shape, shape, strict=False)
    if (
        array.dtype != kind
        or array.ndim != len(shape)
        or any(wanted not in (None, size) for size, wanted in sizes)
    ):
        raise ValueError(f"a table of {array.dtype} has the shape {array.shape}")
    return array


def _weights(logarithms: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.rint(UNIT * np.maximum(logarithms, 0.0)).astype(np.int32)


def _unseen(number: int) -> int:
    return int(_weights(np.log(np.array([max(number, 1)], np.float64)))[0])


def _postings(hashes: Hashes, paragraphs: Ints) -> tuple[Hashes, Ints]:
    """Each (hash, paragraph) pair once: the hashes, and the places of their first occurrences."""
    order = np.lexsort((paragraphs, hashes))
    hashes, paragraphs = hashes[order], paragraphs[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (paragraphs[1:] != paragraphs[:-1])
    return hashes[new], order[new]


def _meetings(words: Hashes, paragraphs: Ints, left: Hashes, right: Hashes) -> Ints:
    """(K,) number of paragraphs that contain both words of each of K pairs."""
    distinct, ids = np.unique(words, return_inverse=True)
    bits = np.zeros((len(distinct), (int(paragraphs.max(initial=0)) >> 6) + 1), np.uint64)
    bit = np.uint64(1) << (paragraphs & 63).astype(np.uint64)
    np.bitwise_or.at(bits, (ids, paragraphs >> 6), bit)
    left_ids, right_ids = np.searchsorted(distinct, left), np.searchsorted(distinct, right)
    meetings = np.empty(len(left), np.int64)
    for i in range(0, len(left), _BIGRAM_CHUNK):
        part = slice(i, i + _BIGRAM_CHUNK)
        common = bits[left_ids[part]] & bits[right_ids[part]]
        meetings[part] = np.bitwise_count(common).sum(axis=1, dtype=np.int64)
    return meetings

"""Candidates and their features by plain loops, as references for the vectorised ones."""

import math
import string
from typing import Any

from squadqa.data.annotation import DEPENDENCIES, ENTITIES, TAGS
from squadqa.data.candidates.statistics import UNIT
from squadqa.data.candidates.values import FAR, WINDOWS
from squadqa.data.prepare import PreparedData

SILENT = {"the", "a", "an", "“", *string.punctuation}

Span = tuple[int, int]
Words = list[str]


class SlowCandidates:
    """The same candidates by plain loops over a paragraph's tokens."""

    def __init__(self, data: PreparedData, paragraph: int) -> None:
        begin, end = data.tokens.bounds[paragraph : paragraph + 2].tolist()
        annotation = data.annotation
        assert annotation is not None
        self.words = [data.tokens.lexicon[f] for f in data.tokens.forms[begin:end].tolist()]
        self.heads = annotation.heads[begin:end].tolist()
        self.tags = [TAGS[tag] for tag in annotation.tags[begin:end].tolist()]
        starts = annotation.sentence_begins[begin:end].tolist()
        self.sentences = [sum(starts[: t + 1]) for t in range(end - begin)]
        self.entities = annotation.entities[begin:end].tolist()
        self.entity_begins = annotation.entity_begins[begin:end].tolist()

    def ancestors(self, token: int) -> list[int]:
        chain = [token]
        while self.heads[chain[-1]] != chain[-1]:
            chain.append(self.heads[chain[-1]])
        return chain

    def subtree(self, token: int) -> Span:
        below = [t for t in range(len(self.words)) if token in self.ancestors(t)]
        return min(below), max(below)

    def ends(self, token: int, depth: int) -> set[int]:
        """Last tokens at which a run may end in a child's subtree."""
        found = {self.subtree(token)[1]}
        if depth > 0:
            found.add(token)
            for child in range(token + 1, len(self.words)):
                if self.heads[child] == token:
                    found |= self.ends(child, depth - 1)
        return found

    def runs(self, depth: int) -> set[Span]:
        found = set()
        for head in range(len(self.words)):
            children = [t for t, h in enumerate(self.heads) if h == head and t != head]
            units = sorted([*children, head])
            for i, first in enumerate(units):
                start = first if first == head else self.subtree(first)[0]
                for last in units[i:]:
                    inside = depth if last > head else 0
                    ends = {head} if last == head else self.ends(last, inside)
                    found |= {(start, end) for end in ends}
        return found

    def entity_spans(self) -> set[Span]:
        found = set()
        for first, begins in enumerate(self.entity_begins):
            last = first
            while (
                last + 1 < len(self.words)
                and self.entities[last + 1]
                and not self.entity_begins[last + 1]
                and self.sentences[last + 1] == self.sentences[first]
            ):
                last += 1
            if begins:
                found.add((first, last))
        return found

    def trim(self, span: Span) -> Span:
        said = [t for t in range(span[0], span[1] + 1) if self.words[t].lower() not in SILENT]
        return (said[0], said[-1]) if said else span

    def noun_chunks(self) -> set[Span]:
        nouns = [t for t, tag in enumerate(self.tags) if tag in ("NN", "NNS", "NNP", "NNPS")]
        return {(self.subtree(noun)[0], noun) for noun in nouns}

    def candidates(self, spans: set[Span], max_tokens: int) -> list[Span]:
        every = spans | self.entity_spans()
        return sorted({self.trim(s) for s in every if 0 <= s[1] - s[0] < max_tokens})

    def head(self, span: Span) -> int:
        depths = {t: len(self.ancestors(t)) for t in range(span[0], span[1] + 1)}
        return max(t for t, depth in depths.items() if depth == min(depths.values()))


class SlowFeatures:
    """A source's features, with words instead of hashes."""

    def __init__(self, data: PreparedData) -> None:
        self.data = data
        self.paragraphs = [SlowCandidates(data, p) for p in range(len(data.contexts))]
        self.known = sorted(set(data.paragraphs.tolist()))
        self.bags = [self.sentence_words(p) for p in self.known]

    def tokens(self, text: int) -> range:
        return range(*self.data.tokens.bounds[text : text + 2].tolist())

    def lemmas(self, text: int) -> Words:
        annotation = self.data.annotation
        assert annotation is not None
        return [annotation.lemma_lexicon[annotation.lemmas[t]] for t in self.tokens(text)]

    def sentence_words(self, paragraph: int) -> list[Words]:
        slow, words = self.paragraphs[paragraph], self.lemmas(paragraph)
        return [
            [w for w, s in zip(words, slow.sentences, strict=True) if s == sentence]
            for sentence in sorted(set(slow.sentences))
        ]

    def word_weight(self, word: str) -> int:
        frequency = sum(any(word in s for s in bag) for bag in self.bags)
        return round(UNIT * math.log(len(self.bags) / max(frequency, 1)))

    def bigram_weight(self, pair: tuple[str, str]) -> int:
        frequency = sum(any(pair in bigrams(s) for s in bag) for bag in self.bags)
        both = sum(all(any(word in s for s in bag) for word in pair) for bag in self.bags)
        if not frequency:
            return round(UNIT * math.log(len(self.bags)))
        return round(UNIT * max(0.0, math.log(len(self.bags) * frequency / both**2)))

    def matching(self, question: int) -> list[int]:
        """Weight of each context token whose word is in the question, else 0."""
        paragraph = int(self.data.paragraphs[question])
        asked = self.lemmas(len(self.paragraphs) + question)
        return [self.word_weight(w) if w in asked else 0 for w in self.lemmas(paragraph)]

    def nearby(self, question: int, first: int, last: int) -> list[int]:
        matching = self.matching(question)
        found: list[int] = []
        for window in WINDOWS:
            found.append(sum(matching[max(0, first - window) : first]))
            found.append(sum(matching[last + 1 : last + 1 + window]))
        words = self.paragraphs[int(self.data.paragraphs[question])].words
        said = [t for t, m in enumerate(matching) if m and words[t].lower() not in SILENT]
        before, after = [t for t in said if t < first], [t for t in said if t > last]
        found.append(min(first - before[-1], FAR) if before else FAR)
        found.append(min(after[0] - last, FAR) if after else FAR)
        return found

    def rank(self, question: int, first: int) -> list[int]:
        sentences = self.paragraphs[int(self.data.paragraphs[question])].sentences
        totals = [0] * (max(sentences) + 1)
        for sentence, weight in zip(sentences, self.matching(question), strict=True):
            totals[sentence] += weight
        shares = [total * UNIT // max(1, *totals) for total in totals[1:]]
        own = sentences[first] - 1
        before = shares[own - 1] if own else 0
        after = shares[own + 1] if own + 1 < len(shares) else 0
        better = sum(total > totals[own + 1] for total in totals[1:])
        return [shares[own], before, after, better]

    def values(self, question: int, first: int, last: int) -> dict[str, list[int]]:
        paragraph = int(self.data.paragraphs[question])
        slow, words = self.paragraphs[paragraph], self.lemmas(paragraph)
        asked = self.lemmas(len(self.paragraphs) + question)
        sentence = [t for t, s in enumerate(slow.sentences) if s == slow.sentences[first]]
        parts = [
            [words[t] for t in sentence if t < first],
            words[first : last + 1],
            [words[t] for t in sentence if t > last],
            [words[t] for t in sentence],
        ]
        matching = [sum(self.word_weight(w) for w in part if w in asked) for part in parts]
        return {
            "matching_words": matching,
            "matching_bigrams": [
                sum(self.bigram_weight(b) for b in bigrams(part) if b in bigrams(asked))
                for part in parts
            ],
            "lengths": [len(part) for part in parts],
            "span_words": [sum(self.word_weight(w) for w in parts[1])],
            "position": [first * UNIT // len(words), slow.sentences[first] - 1],
            "nearby_words": self.nearby(question, first, last),
            "sentence_rank": self.rank(question, first),
        }

    def root(self, text: int, tokens: range) -> str:
        annotation = self.data.annotation
        assert annotation is not None
        begin = self.tokens(text).start
        place = next(t for t in tokens if annotation.heads[t] == t - begin)
        return annotation.lemma_lexicon[annotation.lemmas[place]]

    def roots(self, question: int, sentence: int) -> list[bool]:
        paragraph, text = int(self.data.paragraphs[question]), len(self.paragraphs) + question
        begin, slow = self.tokens(paragraph).start, self.paragraphs[paragraph]
        tokens = [begin + t for t, s in enumerate(slow.sentences) if s == sentence + 1]
        root = self.root(paragraph, range(tokens[0], tokens[-1] + 1))
        question_root = self.root(text, self.tokens(text))
        words = self.sentence_words(paragraph)[sentence]
        return [root == question_root, question_root in words, root in self.lemmas(text)]

    def labels(self, paragraph: int, first: int, last: int) -> list[tuple[Any, ...]]:
        slow, annotation = self.paragraphs[paragraph], self.data.annotation
        assert annotation is not None
        head = slow.head((first, last))
        token = self.tokens(paragraph).start + head
        dependency = DEPENDENCIES[annotation.dependencies[token]]
        subtree = slow.trim(slow.subtree(head))
        above = self.lemmas(paragraph)[slow.heads[head]]
        entity: tuple[Any, ...] = ()
        for span in sorted(slow.entity_spans()):
            begin, end = slow.trim(span)
            if begin <= head <= end:
                kind = "all" if (begin, end) == (first, last) else "more"
                if kind == "more" and begin <= first and last <= end:
                    kind = "part"
                entity = (ENTITIES[slow.entities[span[0]]], kind)
        return [
            (dependency, TAGS[annotation.tags[token]]),
            (dependency, subtree[0] == first, subtree[1] == last),
            entity,
            (dependency, above if dependency == "pobj" else ""),
        ]

    def kinds(self, question: int) -> list[tuple[str, ...]]:
        text = len(self.paragraphs) + question
        tokens, lemmas = self.tokens(text), self.lemmas(text)
        annotation = self.data.annotation
        assert annotation is not None
        forms = [self.data.tokens.lexicon[self.data.tokens.forms[t]].lower() for t in tokens]
        asks = [i for i, form in enumerate(forms) if form in ("what", "who")]
        wh = lemmas[asks[0]] if asks else ""
        after = asks[0] + 1 if asks else 0
        nouns = [i for i in range(after, len(forms))
                 if TAGS[annotation.tags[tokens[i]]].startswith("NN")]  # fmt: skip
        following = lemmas[after] if after < len(forms) else ""
        return [(wh,), (wh, following), (wh, lemmas[nouns[0]] if nouns else "", "noun")]


def bigrams(words: Words) -> list[tuple[str, str]]:
    return list(zip(words, words[1:], strict=False))

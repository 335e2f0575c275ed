"""Paragraphs made from templates.toml.

Each tells of two subjects of one sort and asks about both, and beside most facts stands an echo: a
sentence that tells something else in the words of a question about the fact. So neither the
answer's type nor a name or single word gives the answer away; what was said of whom does.
"""

import random
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from entities import TYPES, Entities
from handwritten import Answer, Paragraph, Question, read

QUESTIONS = (4, 6)  # about one paragraph
WORDS = (60, 96)
# How many others of its type an answer has beside it, at the least.
DISTRACTORS = {
    "person": 3,
    "place": 1,
    "year": 1,
    "number": 1,
    "money": 1,
    "goods": 1,
    "reason": 1,
}
ECHO = 0.8  # how often a fact is told with its echo,
ECHO_FIRST = 0.75  # how often an echo comes before what it echoes,
ECHO_ASKED_LAST = 0.9  # and how often it is asked about only where nothing else is left
ONE_BY_ONE = 0.6  # how often the second subject waits until the first is done with
FORMS = {"full": 1, "kind": 6, "pronoun": 2}  # how often each is used for a subject told before

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Subject:
    """What a paragraph tells about: its names, and the value of every slot.

    Args:
        first: The full name as it is first told, mostly with what it is.
        full: The full name.
        kind: What it is called later on: an article and a noun, or a family name.
        pronoun: The pronoun for it.
        values: The value of every slot.
    """

    first: str
    full: str
    kind: str
    pronoun: str
    values: dict[str, str]

    def mention(self, form: str) -> str:
        """Give a form of its name: "first", "full", "kind" or "pronoun"."""
        return getattr(self, form)

    def possessive(self, form: str) -> str:
        """Give the possessive of such a form."""
        if form == "pronoun":
            return {"it": "its", "he": "his", "she": "her"}[self.pronoun]
        return self.mention(form) + ("'" if self.mention(form).endswith("s") else "'s")


@dataclass(frozen=True)
class Told:
    """What a paragraph tells.

    Args:
        context: Its text.
        slots: Where it tells a slot of the first (0) or second (1) subject.
        entities: Every value, by type.
    """

    context: str
    slots: dict[tuple[int, str], Answer]
    entities: dict[str, list[str]]


def read_templates() -> list[dict[str, Any]]:
    """Read the sorts of subject."""
    return [*tomllib.loads(read("templates.toml")).values()]


def make_paragraph(
    sort: dict[str, Any], *, entities: Entities, split: str, rng: random.Random
) -> Paragraph:
    """Make a paragraph about two subjects of one sort.

    Args:
        sort: A table of templates.toml.
        entities: Those of the split.
        split: "train" (one answer a question) or "dev" (one to three).
        rng: Where choices come from.
    """
    while True:
        entities.start_paragraph()
        kinds = rng.sample(sort.get("kinds", ["", ""]), 2)
        subjects = [_make_subject(sort, kind, entities=entities, rng=rng) for kind in kinds]
        told = _tell(sort, subjects, _plan(sort["facts"], subjects, rng=rng), rng=rng)
        questions = _ask(sort, subjects, told, split=split, rng=rng)
        if len(questions) >= QUESTIONS[0]:
            return Paragraph(told.context, questions, told.entities)


def _make_subject(
    sort: dict[str, Any], kind: str, *, entities: Entities, rng: random.Random
) -> Subject:
    slots: dict[str, str] = sort["slots"]
    years = iter(entities.years([*slots.values()].count("year")))
    values = {slot: next(years) if s == "year" else entities.value(s) for slot, s in slots.items()}
    short, pronoun = f"the {kind}", "it"
    match sort.get("named"):
        case "person":
            full, pronoun = entities.person()
            first, short = full, full.split()[-1]
        case "title":
            full = entities.title()
            first = f"{short} {full}"
        case "ship":
            name = entities.ship()
            first, full = f"{short} {name}", f"the {name}"
        case "place":
            full = entities.place()
            first = f"{short} of {full}"
        case article:
            name = entities.place() if rng.random() < 0.6 else entities.surname()
            first = full = f"{article} {name} {kind.title()}".strip()
    return Subject(first, full, short, pronoun, values)


def _plan(
    facts: Sequence[dict[str, Any]], subjects: Sequence[Subject], *, rng: random.Random
) -> list[tuple[int, str]]:
    """Choose sentences and their order: (subject, wording)."""
    orders = [rng.sample(range(len(facts)), len(facts)) for _ in subjects]
    # Much of what is told of the first subject is told of the second, too.
    orders[1].sort(key=lambda fact: orders[0].index(fact) + rng.choice([0, 0, 4]))
    plan: list[tuple[int, str]] = []
    words, limit = 0, rng.randint(*WORDS)
    while words < limit:
        who = int(len(orders[0]) < len(orders[1]) + rng.randint(0, 1))
        fact = facts[orders[who].pop(0)]
        sentences = [rng.choice(fact["wordings"])]
        if "echoes" in fact and rng.random() < ECHO:
            sentences.append(rng.choice(fact["echoes"]))
        for wording in sentences:
            plan.append((who, wording))
            values = subjects[who].values
            words += sum(len(values.get(part, part).split()) for part in _SLOT.split(wording))
    rng.shuffle(plan)
    plan.sort(key=lambda item: "{Q}" not in item[1] and rng.random() < ECHO_FIRST)
    if rng.random() < ONE_BY_ONE:
        first = plan[0][0]
        plan.sort(key=lambda item: item[0] != first)
    return plan


def _tell(
    sort: dict[str, Any],
    subjects: Sequence[Subject],
    plan: Sequence[tuple[int, str]],
    *,
    rng: random.Random,
) -> Told:
    """Write the sentences down."""
    text = ""
    slots: dict[tuple[int, str], tuple[int, int]] = {}
    entities: dict[str, list[str]] = {}
    previous = None
    named: set[int] = set()
    for who, wording in plan:
        subject, known = subjects[who], who in named
        form = rng.choices([*FORMS], [*FORMS.values()])[0] if known else "first"
        if form == "pronoun" and (who != previous or not re.match(r"\{[SP]\}", wording)):
            form = "kind"
        sentence = ""
        for place, part in enumerate(_SLOT.split(wording)):
            if place % 2 == 0:
                sentence += part
            elif part == "P":
                sentence += subject.possessive(form)
            elif part in "SOQ":
                sentence += subject.mention("full" if part == "Q" and known else form)
            else:
                value, start = subject.values[part], len(text) + len(sentence)
                slots[who, part] = start, start + len(value)
                entities.setdefault(TYPES[sort["slots"][part]], []).append(value)
                sentence += value
        text += sentence[0].upper() + sentence[1:] + " "
        named.add(who)
        previous = who
    answers = {key: Answer(text[start:end], start) for key, (start, end) in slots.items()}
    return Told(text.rstrip(), answers, entities)


def _ask(
    sort: dict[str, Any],
    subjects: Sequence[Subject],
    told: Told,
    *,
    split: str,
    rng: random.Random,
) -> tuple[Question, ...]:
    """Ask about some of the slots that were told and have enough others of their type beside."""
    wordings = {slot: w for fact in sort["facts"] for slot, w in fact["questions"].items()}
    echoes = " ".join(echo for fact in sort["facts"] for echo in fact.get("echoes", ()))
    echoed = set(_SLOT.findall(echoes))
    order = rng.sample(sorted(told.slots), len(told.slots))
    order.sort(key=lambda key: key[1] in echoed and rng.random() < ECHO_ASKED_LAST)
    questions = []
    for who, slot in order:
        of_type = TYPES[sort["slots"][slot]]
        if slot not in wordings or len(told.entities[of_type]) <= DISTRACTORS[of_type]:
            continue
        text = rng.choice(wordings[slot]).format(Q=subjects[who].first, **subjects[who].values)
        answers = [told.slots[who, slot]]
        if split == "dev":  # as if others had been asked, who mark the same or nearly so
            nearly = rng.choice(_variants(answers[0], of_type, told.context))
            answers += [nearly, *answers][: rng.randint(0, 2)]
        questions.append(Question(text, tuple(answers), of_type))
    return tuple(questions[: rng.randint(*QUESTIONS)])


def _variants(answer: Answer, of_type: str, context: str) -> list[Answer]:
    """Give an answer and others that one might have marked instead."""
    end = answer.start + len(answer.text)
    before = re.search(r"\b(?:in|for|because|as|since)\s$", context[: answer.start])
    after = re.match(r"\s[a-z]+\b", context[end:])
    variants = [answer]
    if of_type in ("year", "reason", "money", "place") and before:
        variants.append(Answer(context[before.start() : end], before.start()))
    if of_type == "number" and after:
        variants.append(Answer(answer.text + after[0], answer.start))
    if of_type in ("person", "goods"):
        last = answer.text.rindex(" ") + 1
        variants.append(Answer(answer.text[last:], answer.start + last))
    return variants

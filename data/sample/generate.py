"""Write the sample data set: paragraphs written by hand, and others made from templates.

    python data/sample/generate.py [--output FOLDER]

It writes train.json and dev.json in the format of SQuAD v1.1, the same bytes whenever it runs.
"""

import argparse
import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from entities import SEED, SPLITS, Entities
from handwritten import HERE, Article, read_articles
from paragraphs import make_paragraph, read_templates

PARAGRAPHS = {"train": 445, "dev": 104}  # made ones
PARAGRAPHS_AN_ARTICLE = 6


def make_articles(split: str) -> list[Article]:
    """Make the generated articles of a split, "train" or "dev"."""
    rng = random.Random(f"{SEED} {split}")
    entities = Entities(split, rng=rng)
    sorts = read_templates()
    made = [
        make_paragraph(sorts[number % len(sorts)], entities=entities, split=split, rng=rng)
        for number in range(PARAGRAPHS[split])
    ]
    rng.shuffle(made)
    entities.start_paragraph()
    return [
        Article(f"Annals of {entities.place()}", tuple(made[first : first + PARAGRAPHS_AN_ARTICLE]))
        for first in range(0, len(made), PARAGRAPHS_AN_ARTICLE)
    ]


def as_squad(articles: Sequence[Article]) -> dict[str, Any]:
    """Give articles the shape of the official files; ids are digests of where a question stands."""
    return {
        "version": "1.1",
        "data": [
            {
                "title": article.title.replace(" ", "_"),
                "paragraphs": [
                    {
                        "context": paragraph.context,
                        "qas": [
                            {
                                "id": _digest(article.title, paragraph.context, number),
                                "question": question.text,
                                "answers": [
                                    {"answer_start": answer.start, "text": answer.text}
                                    for answer in question.answers
                                ],
                            }
                            for number, question in enumerate(paragraph.questions)
                        ],
                    }
                    for paragraph in article.paragraphs
                ],
            }
            for article in articles
        ],
    }


def write(folder: Path) -> None:
    """Write both files into a folder."""
    for split in SPLITS:
        squad = as_squad([*read_articles(split), *make_articles(split)])
        text = json.dumps(squad, ensure_ascii=False, indent=1) + "\n"
        (folder / f"{split}.json").write_text(text, encoding="utf-8", newline="\n")


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the sample's train.json and dev.json.")
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write into")
    write(parser.parse_args().output)

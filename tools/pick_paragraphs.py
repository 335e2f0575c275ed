"""Measure how well a run finds the paragraph that answers a question, among its article's.

    python tools/pick_paragraphs.py runs/drqa --data squad --questions 300

asks questions of a file, chosen evenly, over all paragraphs of their articles at once
(`run.answer(contexts, question)`), and prints as JSON: how often the picked paragraph is the right
one, the score of the picked answers, and, beside it, that of the answers in the right paragraph.
Every question costs a reading of its whole article.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from squadqa import load
from squadqa.data.squad import find_source, read_squad
from squadqa.errors import SquadQAError
from squadqa.inference.answering import Answerer
from squadqa.scoring import score


def main(arguments: list[str]) -> int:
    """Run the tool.

    Args:
        arguments: The words after its name.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", help="run folder, or that of an ensemble")
    parser.add_argument("--data", required=True, help="questions with answers, such as squad")
    parser.add_argument("--questions", type=int, default=300, help="how many to ask (default: 300)")
    options = parser.parse_args(arguments)
    try:
        found = measure(load(options.run), options.data, questions=options.questions)
    except SquadQAError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    print(json.dumps(found, indent=1))
    return 0


def measure(run: Answerer, name: str, *, questions: int) -> dict[str, Any]:
    """Ask questions over all paragraphs of their articles.

    Args:
        run: The run.
        name: The questions' source.
        questions: How many to ask, chosen evenly.

    Returns:
        How many "questions" were asked, of how many "paragraphs" each on average; the share of the
        "right_paragraph" and of any paragraph that "holds_answer", in percent; and the scores over
        the "article" and with the right paragraph "given", where every question is answered.
    """
    data = read_squad(find_source(name))
    every = [row for row, texts in enumerate(data.answer_texts) if texts]
    count = min(questions, len(every))
    chosen = [every[len(every) * number // count] for number in range(count)]
    by_article: dict[str, list[int]] = {}
    for row in chosen:
        by_article.setdefault(data.titles[data.paragraphs[row]], []).append(row)
    picked: dict[str, str] = {}
    given: dict[str, str] = {}
    right, holds, paragraphs = 0, 0, 0
    for title, rows in by_article.items():
        numbers = [place for place, one in enumerate(data.titles) if one == title]
        contexts = [data.contexts[number] for number in numbers]
        answers = run.answer(contexts, [data.questions[row] for row in rows], always=True)
        for row, answer in zip(rows, answers, strict=True):
            assert answer.context is not None
            picked[data.ids[row]] = answer.text
            own = data.contexts[data.paragraphs[row]]
            given[data.ids[row]] = run.answer(own, data.questions[row], always=True).text
            right += numbers[answer.context] == data.paragraphs[row]
            holds += any(text in contexts[answer.context] for text in data.answer_texts[row])
            paragraphs += len(contexts)
    references = {data.ids[row]: data.answer_texts[row] for row in chosen}
    return {
        "questions": count,
        "paragraphs": paragraphs / count,
        "right_paragraph": 100 * right / count,
        "holds_answer": 100 * holds / count,
        "article": asdict(score(references, picked)),
        "given": asdict(score(references, given)),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

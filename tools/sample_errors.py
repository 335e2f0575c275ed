"""Draw a run's errors on its held-out questions, for people to say why each was made.

    python tools/sample_errors.py runs/drqa --questions 100 --output errors.json

writes, for so many of the held-out questions that the run does not answer exactly right, drawn by a
seed: id, place, question, context, given answers, and the run's best answers with their
probabilities. The file holds texts of the data; what is published of it are ids, places and labels,
as in results/details/errors.json, of which `python tools/errors_page.py` makes docs/errors.md.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from squadqa import load
from squadqa.errors import ConfigError, SquadQAError
from squadqa.files import write_atomic
from squadqa.inference.answered import Answered, Preparation
from squadqa.inference.predictor import Predictor
from squadqa.scoring import score_pairs

N_BEST = 5
"""How many answers of each question are shown."""


def main(arguments: list[str]) -> int:
    """Run the tool.

    Args:
        arguments: The words after its name.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", help="run folder")
    parser.add_argument("--questions", type=int, default=100, help="errors (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default: 1)")
    parser.add_argument("--output", required=True, type=Path, help="file to write")
    options = parser.parse_args(arguments)
    try:
        run = load(options.run)
        if not isinstance(run, Predictor):
            raise ConfigError(f'"{options.run}" is an ensemble', hint="Name one run.")
        data = run.held_out(Preparation())
        found = Answered(run.answers_of(data, n_best=N_BEST, always=True), data.data)
        drawn = draw(found, questions=options.questions, seed=options.seed)
        with write_atomic(options.output) as file:
            json.dump(drawn, file, indent=1, ensure_ascii=False)
    except SquadQAError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    return 0


def draw(found: Answered, *, questions: int, seed: int) -> dict[str, Any]:
    """Draw errors: answers that equal no given one by the official rule.

    Args:
        found: The answers, with the questions that they are to.
        questions: How many to draw, or all if there are fewer.
        seed: Which ones.

    Returns:
        The counts "questions", "wrong" and "overlap" (wrong, with words of a given answer), and
        "drawn", a list with all that is known of each. Its place is the article's title, and the
        numbers of paragraph and question, from 1: ids of copies of a data set may differ.
    """
    given, texts = found.references, found.texts
    asked = sorted(name for name in texts if given[name])
    exact, f1 = score_pairs([texts[name] for name in asked], [given[name] for name in asked])
    wrong = {
        name: one for name, is_exact, one in zip(asked, exact, f1, strict=True) if not is_exact
    }
    order = np.random.default_rng(seed).permutation(len(wrong))[:questions]
    rows = {name: row for row, name in enumerate(found.data.ids.to_pylist())}
    paragraphs = found.data.paragraphs
    titles = found.data.titles.to_pylist()
    drawn = []
    names = list(wrong)
    for name in sorted(names[number] for number in order):
        row = rows[name]
        paragraph = int(paragraphs[row])
        title = titles[paragraph]
        numbers = titles[: paragraph + 1].count(title), int(sum(paragraphs[: row + 1] == paragraph))
        drawn.append(
            {
                "id": name,
                "place": f"{title}, {numbers[0]}.{numbers[1]}",
                "question": found.data.questions[row].as_py(),
                "context": found.data.contexts[paragraph].as_py(),
                "given": given[name],
                "answers": [answer.values() for answer in found.answers[name]],
                "f1": wrong[name],
            }
        )
    overlap = sum(one > 0 for one in wrong.values())
    return {"questions": len(asked), "wrong": len(wrong), "overlap": overlap, "drawn": drawn}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

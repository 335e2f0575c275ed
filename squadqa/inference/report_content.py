"""Gathering of what a report shows: scores, slices, curves, and looks inside the models."""

from collections.abc import Mapping, Sequence

from squadqa.data.squad import Source
from squadqa.evaluation.comparison import compare
from squadqa.evaluation.inspected import Inspected
from squadqa.evaluation.question_slices import dimensions, score_slices
from squadqa.evaluation.questions import Questions
from squadqa.evaluation.systems import ScoredSystem
from squadqa.evaluation.training_log import read_training_log
from squadqa.inference.inspection import inspect_questions
from squadqa.inference.load import load
from squadqa.inference.systems import Opened, Opening
from squadqa.report.content import WITH_ATTENTION, ReportContent, choose_questions


def report_content(
    questions: Questions,
    systems: Sequence[ScoredSystem],
    opened: Sequence[Opened],
    source: Source,
    how: Opening,
    *,
    seed: int = 0,
) -> ReportContent:
    """Gather what a report shows.

    Args:
        questions: The questions.
        systems: The systems, scored.
        opened: The same systems as `open_systems` opened them.
        source: Where the questions come from.
        how: How the systems are opened again, to look inside them.
        seed: Seed of the bootstrap and of the choice of questions.

    Raises:
        SquadQAError: A run cannot be opened, or its log cannot be read.
    """
    kinds = dimensions(questions)
    chosen = choose_questions(systems, seed=seed)
    inspected: list[Mapping[int, Inspected]] = []
    logs = []
    for one in opened:
        seen: Mapping[int, Inspected] = {}
        log = None
        if one.folder is not None:
            run = load(one.folder, device=how.device, trust=how.trust)
            seen = inspect_questions(
                run,
                source,
                chosen,
                with_attention=chosen[:WITH_ATTENTION],
                preparation=how.preparation,
            )
            log = read_training_log(one.folder)
        inspected.append(seen)
        logs.append(log if log and log.last_step else None)
    return ReportContent(
        data=str(source),
        questions=questions,
        systems=systems,
        dimensions=kinds,
        slices=score_slices(kinds, systems, seed=seed),
        comparisons=[
            compare(questions, systems[0], other, kinds, seed=seed) for other in systems[1:]
        ],
        logs=logs,
        inspected=inspected,
        chosen=chosen,
    )

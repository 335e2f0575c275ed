"""The page of the public API, docs/api.md, made from the docstrings.

`python tools/api_page.py` brings it up to date. Nothing of squadqa is imported: griffe reads the
source files.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import griffe
from made_pages import rewrite, run

from squadqa.errors import DataError

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path("docs/api.md")
PACKAGE = "squadqa"
LINE = 88  # characters of a signature on one line; a longer one has a line for each argument


@dataclass(frozen=True)
class Section:
    """Objects that are used together.

    Args:
        title: What they are for.
        text: What to know before reading on.
        names: The objects, by the dotted names that a user imports.
        members: Of a class, by its dotted name, which members to show; other classes show all that
            are public and their own.
    """

    title: str
    text: str
    names: Sequence[str]
    members: dict[str, Sequence[str]]


SECTIONS = (
    Section(
        "Ask a trained model",
        "`squadqa.load` gives an `Answerer`: a `Predictor` for a run, an `Ensemble` for the folder "
        "of one.",
        (
            "squadqa.load",
            "squadqa.inference.answering.Answerer",
            "squadqa.evaluation.predictions.Answer",
            "squadqa.inference.answering.DetailedAnswer",
            "squadqa.scoring.Score",
            "squadqa.scoring_v2.ScoreV2",
            "squadqa.scoring_v2.Part",
            "squadqa.inference.predictor.Predictor",
            "squadqa.inference.ensemble.Ensemble",
        ),
        {
            "squadqa.inference.answering.Answerer": (
                "answer",
                "answer_in_detail",
                "predict",
                "evaluate",
            ),
            "squadqa.inference.predictor.Predictor": ("answers",),
            "squadqa.inference.ensemble.Ensemble": (),
        },
    ),
    Section(
        "Questions in other formats",
        "[Data](data.md) has the formats.",
        ("squadqa.convert", "squadqa.data.squad.convert.Converted"),
        {},
    ),
    Section(
        "Write a model",
        "A model of your own is a subclass of `SpanReader` or of `CandidateScorer`: "
        "[A model of your own](own_model.md) walks through one.",
        (
            "squadqa.models.SpanReader",
            "squadqa.models.SpanLogits",
            "squadqa.models.base.ContextFirstReader",
            "squadqa.models.CandidateScorer",
            "squadqa.models.base.QAModel",
        ),
        {},
    ),
    Section(
        "What a model is given",
        "",
        (
            "squadqa.batch.Sizes",
            "squadqa.batch.SpanBatch",
            "squadqa.batch.FormBatch",
            "squadqa.batch.CandidateBatch",
            "squadqa.batch.TreeBatch",
            "squadqa.batch.WordBatch",
        ),
        {},
    ),
    Section(
        "Parts to build from",
        "More stand in `squadqa/nn/`, each documented where it is written.",
        (
            "squadqa.models.embedder.Embedder",
            "squadqa.nn.char_cnn.CharCNN",
            "squadqa.nn.rnn.StackedBiRNN",
            "squadqa.nn.attention.AttentionPooling",
            "squadqa.nn.pointer.BilinearPointer",
            "squadqa.nn.masking.mask_logits",
            "squadqa.nn.masking.masked_softmax",
        ),
        {},
    ),
    Section(
        "Errors",
        "Whatever a user can put right is raised as one of these.",
        (
            "squadqa.errors.SquadQAError",
            "squadqa.errors.DataError",
            "squadqa.errors.VectorsError",
            "squadqa.errors.ConfigError",
            "squadqa.errors.CheckpointError",
            "squadqa.errors.UntrustedError",
            "squadqa.errors.OutputError",
        ),
        {},
    ),
)

_INTRODUCTION = """\
# The Python API

Made from the docstrings by `python tools/api_page.py`. What is not named here may change from one
version to the next without a word in the changelog."""


def api_page(root: Path, sections: Sequence[Section] = SECTIONS) -> str:
    """Write the page.

    Args:
        root: The folder that holds the package.
        sections: What to show.

    Raises:
        DataError: There is no such object, or it has no docstring.
    """
    package = griffe.load(
        PACKAGE,
        search_paths=[root],
        docstring_parser="google",
        docstring_options={"returns_multiple_items": False, "returns_named_value": False},
        allow_inspection=False,
        try_relative_path=False,
    )
    assert isinstance(package, griffe.Module)
    parts = [_INTRODUCTION, "\n".join(_contents(sections))]
    for section in sections:
        parts.append(f"## {section.title}")
        if section.text:
            parts.append(section.text)
        for name in section.names:
            parts += _entry(name, _find(package, name), section.members.get(name))
    return "\n\n".join(parts) + "\n"


def _contents(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        links = (f"[{_last(name)}](#{_anchor(name)})" for name in section.names)
        yield f"- {section.title}: {', '.join(links)}"


def _find(package: griffe.Module, name: str) -> griffe.Object:
    """Find an object by the dotted name that a user imports."""
    try:
        found = package[name.removeprefix(f"{PACKAGE}.")]
        return found.final_target if isinstance(found, griffe.Alias) else found
    except (KeyError, griffe.AliasResolutionError, griffe.CyclicAliasError) as error:
        raise DataError(
            f'there is no "{name}"', next_step="Correct SECTIONS in tools/api_page.py."
        ) from error


def _entry(name: str, shown: griffe.Object, members: Sequence[str] | None) -> Iterator[str]:
    """Show an object, and the members of a class."""
    yield f"### {name}"
    yield from _body(name, shown)
    if not isinstance(shown, griffe.Class):
        return
    for member in shown.members.values():
        if not isinstance(member, griffe.Function) and "property" not in member.labels:
            continue
        is_own = member.has_docstring and not member.name.startswith("_")
        if member.name in members if members is not None else is_own:
            assert isinstance(member, griffe.Object)
            yield f"#### {_last(name)}.{member.name}"
            yield from _body(f"{name}.{member.name}", member)


def _body(name: str, shown: griffe.Object) -> Iterator[str]:
    """Show how an object is called, and its docstring.

    Raises:
        DataError: It has no docstring.
    """
    if shown.docstring is None:
        raise DataError(f'"{name}" has no docstring', next_step="Give it one.")
    if signature := "\n".join(_signatures(shown)):
        yield f"```python\n{signature}\n```"
    for part in shown.docstring.parsed:
        match part.kind:
            case griffe.DocstringSectionKind.text:
                yield _prose(part.value)
            case griffe.DocstringSectionKind.parameters:
                yield "\n".join(f"- `{one.name}`: {_line(one.description)}" for one in part.value)
            case griffe.DocstringSectionKind.returns:
                yield "Returns: " + _line(part.value[0].description)
            case griffe.DocstringSectionKind.yields:
                yield "Yields: " + _line(part.value[0].description)
            case griffe.DocstringSectionKind.raises:
                lines = (f"- `{one.annotation}`: {_line(one.description)}" for one in part.value)
                yield "Raises:\n\n" + "\n".join(lines)
            case other:
                raise DataError(f'the docstring of "{name}" has a section of another kind: {other}')


def _signatures(shown: griffe.Object) -> Iterator[str]:
    """Write how an object is called; a function with overloads in each of its ways."""
    if isinstance(shown, griffe.Class):
        bases = ", ".join(str(base) for base in shown.bases if str(base) != "ABC")
        is_made_here = "__init__" in shown.members or "dataclass" in shown.labels
        if bases or not is_made_here:
            yield f"class {shown.name}({bases})" if bases else f"class {shown.name}"
        if is_made_here:
            yield _call(shown, shown.parameters, None)
    elif isinstance(shown, griffe.Function):
        for one in shown.overloads or (shown,):
            yield _call(shown, one.parameters, one.returns)
    elif isinstance(shown, griffe.Attribute):  # a property
        yield f"{shown.name}: {_type(shown.annotation, shown.package)}"


def _call(shown: griffe.Object, parameters: griffe.Parameters, returns: Any) -> str:
    """Write a call with its arguments' types, on several lines where one would be too long."""
    words: list[str] = []
    for one in parameters:
        if one.name == "self":
            continue
        if one.kind is griffe.ParameterKind.keyword_only and "*" not in words:
            words.append("*")
        type_ = "" if one.annotation is None else f": {_type(one.annotation, shown.package)}"
        default = "" if one.default is None else f" = {one.default}".replace("'", '"')
        words.append(f"{one.name}{type_}{default}")
    arrow = "" if returns is None else f" -> {_type(returns, shown.package)}"
    line = f"{shown.name}({', '.join(words)}){arrow}"
    if len(line) <= LINE:
        return line
    return f"{shown.name}(\n" + "".join(f"    {word},\n" for word in words) + f"){arrow}"


def _type(annotation: Any, package: griffe.Module) -> str:
    """Write a type; a name of the package that stands for other types is written out."""
    text = str(annotation).replace("'", '"')
    names = annotation.iterate(flat=True) if isinstance(annotation, griffe.Expr) else ()
    for name in names:
        path = name.canonical_path if isinstance(name, griffe.ExprName) else ""
        if path.startswith(f"{PACKAGE}."):
            found = _find(package, path)
            if isinstance(found, griffe.Attribute) and isinstance(found.value, griffe.Expr):
                text = re.sub(rf"\b{name}\b", _type(found.value, package), text)
    return text


def _prose(text: str) -> str:
    """Show paragraphs, and examples as code."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(
        f"```python\n{block}\n```" if block.startswith(">>>") else block for block in blocks
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _anchor(name: str) -> str:
    """Write a heading as GitHub's links to it do."""
    return re.sub(r"[^\w-]", "", name.lower())


if __name__ == "__main__":
    sys.exit(run(lambda root: rewrite({root / PAGE: api_page(root)}), ROOT))

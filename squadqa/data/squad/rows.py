"""Iteration over the questions of a source, whatever its format."""

from collections.abc import Iterator

from squadqa.data.squad.content import load_dataset, read_text
from squadqa.data.squad.formats import detect, named, nested_json, text
from squadqa.data.squad.formats.parsing import parsed
from squadqa.data.squad.row import Row
from squadqa.data.squad.source import Source, find_source


def rows_of(source: Source) -> Iterator[Row]:
    """Iterate over the questions of a source.

    Raises:
        DataError: It is in none of the formats, or not as its format has it; the message says
            where.
    """
    columns, name = source.reading.columns, source.label
    if source.path is None:
        return named.rows_of(load_dataset(source), str(source), columns)
    if source.part is not None:
        from squadqa.data.pack.archive import Archive  # numpy takes long to import

        packed = Archive(source.path).text(f"{source.part}/questions.json")
        return nested_json.rows_of(parsed(packed, str(source)), str(source))
    if source.reading.questions is not None:
        asked = find_source(source.reading.questions)
        return text.rows_of(read_text(source), name, read_text(asked), asked.label)
    return detect.rows_of(read_text(source), name, columns)

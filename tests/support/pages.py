"""Commands, code and links in the Markdown pages of the project."""

import re
from collections.abc import Iterator


def prompted(text: str) -> list[str]:
    """The commands after a prompt, each as one line."""
    found = re.findall(r"^\$ ([^#\n]+)", text.replace("\\\n", ""), re.MULTILINE)
    return [command.strip() for command in found]


def tabled(text: str) -> list[str]:
    """The commands that begin the rows of a table."""
    return re.findall(r"^\| `(squadqa [^`]+)` \|", text, re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def links(text: str) -> Iterator[tuple[str, str]]:
    """The files that a page links to, each with the heading in it, or ""."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            path, _, heading = target.partition("#")
            yield path, heading


def anchors(text: str) -> set[str]:
    """The names by which a page's headings can be linked to, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

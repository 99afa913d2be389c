"""The pages of the project as values: their code blocks, tables, headings and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "examples", "functions", "deploy", "bench")

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A code block.

    Attributes:
        page: the page's path from the root of the project.
        language: what stands behind the fence.
        text: the code, not indented.

    """

    page: str
    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        page: the page's path from the root of the project.
        header: the headings of the columns, without backquotes.
        rows: the cells as they are written.

    """

    page: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, number: int = 0) -> list[str]:
        """Return the first code in each cell of a column; a cell without code is an error."""
        return [_CODE.findall(row[number])[0] for row in self.rows]

    def codes(self, number: int = 0) -> list[str]:
        """Return every code in a column."""
        return [code for row in self.rows for code in _CODE.findall(row[number])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A document.

    Attributes:
        name: its path from the root of the project.
        text: its content.

    """

    name: str
    text: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return ROOT / self.name

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return _FENCE.sub("", self.text)

    @property
    def codes(self) -> list[str]:
        """The inline code of the prose."""
        return _CODE.findall(self.prose)

    def blocks(self, *languages: str) -> list[Block]:
        """Return the code blocks, those in *languages* if there are any."""
        found = [
            Block(page=self.name, language=language, text=dedent(text))
            for _, language, text in _FENCE.findall(self.text)
        ]
        return [block for block in found if not languages or block.language in languages]

    @property
    def anchors(self) -> set[str]:
        """The headings as links spell them."""
        titles = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}

    @property
    def links(self) -> list[str]:
        """The targets of the links within the project."""
        return [link for link in re.findall(r"\]\(([^)\s]+)\)", self.prose) if "://" not in link]

    def tables(self) -> Iterator[Table]:
        """Go through the tables."""
        for text in re.findall(r"(?:^ *\|.*\n?)+", self.prose, re.MULTILINE):
            header, _, *rows = (_cells(line) for line in text.splitlines())
            yield Table(page=self.name, header=tuple(cell.replace("`", "") for cell in header), rows=tuple(rows))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def _read() -> tuple[Page, ...]:
    paths = [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))]
    names = sorted(path.relative_to(ROOT).as_posix() for path in paths if "node_modules" not in path.parts)
    return tuple(Page(name=name, text=(ROOT / name).read_text(encoding="utf-8")) for name in names)


PAGES = _read()
NAMES = [page.name for page in PAGES]


def page_of(name: str) -> Page:
    """Return the page of that path."""
    return next(page for page in PAGES if page.name == name)


def all_blocks(*languages: str) -> list[Block]:
    """Return the code blocks in *languages* of all pages."""
    return [block for page in PAGES for block in page.blocks(*languages)]


def table_with(*header: str, page: str = "") -> Table:
    """Return the one table with these headings, on any page unless *page* names one."""
    found = [table for one in PAGES if page in ("", one.name) for table in one.tables() if table.header == header]
    assert len(found) == 1, f"{len(found)} tables have the columns {', '.join(header)}, on {page or 'all pages'}"
    return found[0]

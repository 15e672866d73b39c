"""Blocks as elements: a title is a heading, a line a paragraph, a grid a list, a table a table."""

from __future__ import annotations

from collections.abc import Iterator

from memrunbook.ui.block import Block, Grid, Line, Note, Row, Span, Table, Text
from memrunbook.ui.completing import completed
from memrunbook.ui.html.element import Element, add, element
from memrunbook.ui.html.style import COLUMNS
from memrunbook.ui.layout import plain

PAIR = 2
SHORT = 24
"""Characters of a cell that is not folded; longer ones are."""
LONG = 15
"""Rows of a table that may go on on the next sheet of paper."""


def block_elements(block: Block, style: str = "") -> list[Element]:
    """The elements of a block, with the commands in it complete; of a blank line there are none."""
    (block,) = completed((block,))
    if isinstance(block, Line):
        return _line(block, style)
    if isinstance(block, Table):
        return [wide(_table(block))] if block.rows else []
    return ([_pairs(block)] if _are_pairs(block) else [_grid(block)]) if block.entries else []


def wide(table: Element) -> Element:
    """A table that scrolls by itself where it is too wide, by the keyboard too."""
    return element("div", "scroll", table, tabindex=0, role="group", aria_label="table")


def heading(line: Line, level: int) -> Element:
    """A title."""
    return element(f"h{level}", "", _trimmed(line.body))


def _line(line: Line, style: str) -> list[Element]:
    content = (*line.head, *line.body)
    if not plain(content).strip():
        return []
    inner = not plain(line.head).strip() and bool(plain(line.head))
    return [element("p", style or ("inner" if inner else ""), _trimmed(content))]


def _are_pairs(grid: Grid) -> bool:
    """True for labels with what belongs to them: each row has one of each."""
    rows = [entry for entry in grid.entries if isinstance(entry, Row)]
    first = grid.entries[0]
    begun = isinstance(first, Row) and bool(plain(first.cells[0]).strip())
    return begun and all(len(row.cells) + bool(row.body) == PAIR for row in rows)


def _pairs(grid: Grid) -> Element:
    found = element("dl")
    for entry in grid.entries:
        if isinstance(entry, Note):
            found.append(element("dd", "note", _noted(entry)))
            continue
        label, content = _trimmed(entry.cells[0]), _trimmed(entry.body or entry.cells[-1])
        if plain(label):
            found.append(element("dt", "", label))
        found.append(element("dd", "", content))
    return found


def _grid(grid: Grid) -> Element:
    """A list: each row with its notes, its cells in the columns that all rows share."""
    rows = [entry for entry in grid.entries if isinstance(entry, Row)]
    width = min(max((len(row.cells) + bool(row.body) for row in rows), default=1), COLUMNS)
    found = element("ul", f"grid columns{width}")
    for entry in grid.entries:
        if isinstance(entry, Row):
            found.append(element("li", "", *_cells(entry, width)))
        elif len(found):
            found[-1].append(element("div", "note", _noted(entry)))
        else:
            found.append(element("li", "", element("div", "note", _noted(entry))))
    return found


def _cells(row: Row, width: int) -> Iterator[Element]:
    """The cells; the last one reaches to the end."""
    cells = [*row.cells, *([row.body] if row.body else [])]
    for place, cell in enumerate(cells, 1):
        yield element("div", f"from{place}" if place == len(cells) < width else "", _trimmed(cell), " ")


def _noted(note: Note) -> Text:
    return _trimmed((*note.head, *note.body))


def _table(table: Table) -> Element:
    names = element("tr")
    for name in table.columns:
        names.append(element("th", "", name, scope="col"))
    body = element("tbody")
    for row in table.rows:
        cells = element("tr", "", element("th", "", row[0], scope="row"))
        for cell in row[1:]:
            add(cells, element("td", "short" if len(cell) <= SHORT else "", cell))
        body.append(cells)
    return element("table", "data long" if len(table.rows) > LONG else "data", element("thead", "", names), body)


def _trimmed(content: Text) -> Text:
    """The text without the blanks at its ends, which are columns of a terminal."""
    spans = [span for span in content if span.text]
    while spans and not spans[0].text.strip(" "):
        spans = spans[1:]
    while spans and not spans[-1].text.strip(" "):
        spans = spans[:-1]
    if spans:
        spans[0] = _stripped(spans[0], spans[0].text.lstrip(" "))
        spans[-1] = _stripped(spans[-1], spans[-1].text.rstrip(" "))
    return tuple(spans)


def _stripped(span: Span, said: str) -> Span:
    return span if span.typed or span.whole else span._replace(text=said)  # a script keeps its blanks

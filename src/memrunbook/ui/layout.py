"""Lays blocks out in lines: columns aligned, long lines folded where there is a width, host text made safe."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable

from memrunbook.core.text import clean
from memrunbook.runtime.redaction import redact
from memrunbook.ui.block import Block, Grid, Line, Note, Row, Span, Table, Text, text
from memrunbook.ui.commands import commands_in

# A terminal cuts a span here (a unit's name has at most 255 bytes); elsewhere only what no answer can hold.
ON_TERMINAL, UNCUT = 400, 1 << 20
# Wider cells do not push the other rows' columns along.
WIDEST = 48
# Beside its head a folded text has this room at least; in less than half of the width it takes at most two lines.
ROOM = 24
GAP = "  "
BODY_GAP = "   "
# How far in a command stands that is too long for its line.
LITTLE = 2
# Stands for a blank that no line ends at; host text has none, for it is made safe first.
JOINT = "\0"
# Where a word may be broken that is wider than a line, in what is no path: behind one of these.
SEPARATORS = "?&=,;:-_.@"
# A number stays with its unit.
WORD = re.compile(r" *(?:[+\d.,]+ (?=[KMGT]iB|%|s\b|min\b|h\b|d\b))?[^ ]+")


def cells(content: Text) -> int:
    """How many columns of a terminal the text takes."""
    return sum(_cells(span.text) for span in content)


def plain(content: Text) -> str:
    """The text alone, on one line and whole, made safe as on a screen."""
    return "".join(clean(redact(span.text), UNCUT) for span in content)


def cut(content: Text, width: int) -> Text:
    """One line of at most so many columns, made safe as every other; what is cut off ends in "…"."""
    safe = tuple(span._replace(text=clean(redact(span.text), ON_TERMINAL)) for span in content)
    if cells(safe) <= width:
        return safe
    plain = "".join(span.text for span in safe)
    return text(_slice(safe, 0, _fitting(plain, width - 1)), "…") if width > 0 else ()


def lay_out(blocks: Iterable[Block], width: int | None) -> list[Text]:
    """The lines to draw; without a width nothing is folded or cut."""
    lines = [line for block in blocks for line in _lines(_safe(block, width), width)]
    return [folded for line in lines for folded in _fold(line, width)]


def _cells(content: str) -> int:
    if content.isascii():
        return len(content)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in content)
    return len(content) + wide - sum(unicodedata.combining(character) > 0 for character in content)


def _safe(block: Block, width: int | None) -> Block:
    def safe(content: Text) -> Text:
        return tuple(span._replace(text=clean(redact(span.text), _limit(span, width))) for span in content)

    if isinstance(block, Line):
        return block._replace(head=safe(block.head), body=safe(block.body))
    if isinstance(block, Table):
        columns, *rows = (
            tuple(clean(redact(cell), _limit(Span(cell), width)) for cell in row)
            for row in (block.columns, *block.rows)
        )
        return block._replace(columns=columns, rows=tuple(rows))
    entries = [
        Row(tuple(map(safe, entry.cells)), safe(entry.body))
        if isinstance(entry, Row)
        else Note(safe(entry.head), safe(entry.body))
        for entry in block.entries
    ]
    return block._replace(entries=tuple(entries))


def _limit(span: Span, width: int | None) -> int:
    return UNCUT if width is None or span.whole else ON_TERMINAL


def _lines(block: Block, width: int | None) -> list[Line]:
    if isinstance(block, Line):
        return [block]
    return _grid(block) if isinstance(block, Grid) else _table(block, width)


def _grid(grid: Grid) -> list[Line]:
    rows = [entry for entry in grid.entries if isinstance(entry, Row)]
    widths = _widths([[cells(cell) for cell in row.cells] for row in rows])
    under = grid.indent + sum(widths[: grid.under]) + len(GAP) * grid.under
    found = []
    for entry in grid.entries:
        if isinstance(entry, Note):
            found.append(Line(text(" " * under, entry.head), entry.body, under + 2))
        else:
            found.append(_aligned(entry, widths, grid.indent, under))
    return found


def _aligned(row: Row, widths: list[int], indent: int, under: int) -> Line:
    """The cells in their columns; a row without a body goes on under its last cell."""
    padded = [_pad(cell, width) for cell, width in zip(row.cells, widths, strict=False)]
    left, body = (padded, row.body) if row.body else (padded[:-1], row.cells[-1])
    gap = BODY_GAP if row.body and len(padded) == len(widths) > 1 else GAP
    head = [part for cell in left for part in (cell, GAP)][:-1]
    return Line(text(" " * indent, *head, gap if head else ""), body, under)


def _widths(rows: list[list[int]]) -> list[int]:
    count = max((len(row) for row in rows), default=0)
    return [max(min(row[index], WIDEST) for row in rows if index < len(row)) for index in range(count)]


def _pad(cell: Text, width: int) -> Text:
    return text(cell, " " * (width - cells(cell)))


def _table(table: Table, width: int | None) -> list[Line]:
    rows = (table.columns, *table.rows)
    widths = _widths([[_cells(cell) for cell in row] for row in rows])
    longest = max(sum(max(_cells(cell), column) for cell, column in zip(row, widths, strict=True)) for row in rows)
    if width is not None and table.indent + longest + len(GAP) * (len(widths) - 1) > width:
        return [_sentence(table, row) for row in table.rows]
    heading = [Span(cell, "quiet") for cell in table.columns]
    body = [[Span(cell) for cell in row] for row in table.rows]
    found = []
    for row in (heading, *body):
        padded = [_pad((span,), column) for span, column in zip(row, widths, strict=True)]
        found.append(Line(text(" " * table.indent, *(part for cell in padded for part in (cell, GAP)))))
    return found


def _sentence(table: Table, row: tuple[str, ...]) -> Line:
    pairs = [f"{name} {value}" for name, value in zip(table.columns[1:], row[1:], strict=True)]
    return Line(text(" " * table.indent, Span(row[0], "strong"), GAP), text(", ".join(pairs)), table.indent + 2)


def _fold(line: Line, width: int | None) -> list[Text]:
    hang = cells(line.head)
    if width is None or hang + cells(line.body) <= width:
        return [text(line.head, line.body)]
    if line.body and line.body[-1].typed:
        return [*_above(line, width), _alone(line.body[-1], min(line.under, width // 2), width)]
    room, under, widest = width - hang, min(line.under, width // 2), _widest(line.body)
    broken = room < widest <= width - LITTLE  # beside its head, and whole below that
    if not broken and room >= ROOM and (2 * room >= width or cells(line.body) <= 2 * room):
        return _hanging(line.head, _wrap(line.body, room), hang)
    under = min(under, width - widest) if broken else under
    above = [line.head] if hang <= width else _wrap(line.head, width - under)
    below = _wrap(line.body, width - under) if line.body else []
    return [*_hanging((), above, under), *_hanging(text(" " * under), below, under)]


def _widest(content: Text) -> int:
    """The columns of its widest word; a command is never broken, and counts for none."""
    words = WORD.finditer(_joined(content, "".join(span.text for span in content)))
    return max((_cells(word[0].lstrip(" ")) for word in words if JOINT not in word[0]), default=0)


def _above(line: Line, width: int) -> list[Text]:
    """What stands before the command at the end of a line."""
    said = "".join(span.text for span in line.body[:-1])
    before = line._replace(body=_slice(line.body, 0, len(said.rstrip(" "))))
    return _fold(before, width) if any(span.text.strip(" ") for span in (*before.head, *before.body)) else []


def _alone(command: Span, indent: int, width: int) -> Text:
    """A command on a line of its own; one that is too long for it the terminal itself wraps, and copies as one line."""
    fits = indent + cells((command,)) <= width
    return text(" " * (indent if fits else LITTLE), command)


def _hanging(first: Text, lines: list[Text], indent: int) -> list[Text]:
    return [text(first if index == 0 else " " * indent, content) for index, content in enumerate(lines)]


def _wrap(content: Text, width: int) -> list[Text]:
    """Folds at ordinary blanks, and inside a word only where it is wider than the width; a command is one word."""
    plain = "".join(span.text for span in content)
    joined = _joined(content, plain)
    starts, used = [0], 0
    for word in WORD.finditer(joined):
        size = _cells(word[0])
        if used and used + size > width:
            starts.append(word.end() - len(word[0].lstrip(" ")))
            used, size = 0, _cells(word[0].lstrip(" "))
        while size > width and JOINT not in word[0]:
            starts.append(starts[-1] + _broken(plain[starts[-1] : word.end()], width))
            size = _cells(plain[starts[-1] : word.end()])
        used += size
    return [_slice(content, start, end) for start, end in itertools.pairwise([*starts, len(plain)])]


def _joined(content: Text, plain: str) -> str:
    """The same characters, with something else than a blank between the words of a command."""
    places = commands_in(plain)
    begin = 0
    for span in content:
        places += [(begin, begin + len(span.text))] if span.typed else []
        begin += len(span.text)
    for start, end in places:
        plain = plain[:start] + plain[start:end].replace(" ", JOINT) + plain[end:]
    return plain


def _fitting(word: str, width: int) -> int:
    """How many characters of a word fit."""
    taken = itertools.accumulate(_cells(character) for character in word)
    return max(1, sum(columns <= width for columns in taken))


def _broken(word: str, width: int) -> int:
    """How many characters of a word that does not fit stand on this line: names inside of a path stay whole."""
    fitting = _fitting(word, width)
    place = max(word.rfind(one, 1, fitting) for one in SEPARATORS) + 1
    return word.rfind("/", 1, fitting) + 1 or (place if 2 * place > fitting else fitting)


def _slice(content: Text, start: int, end: int) -> Text:
    found = []
    for span in content:
        piece = span.text[max(0, start) : max(0, end)]
        start, end = start - len(span.text), end - len(span.text)
        if piece:
            found.append(span._replace(text=piece))
    return tuple(found)

"""What views are made of: spans of text with a meaning, lines, grids and tables; drawn by the screen."""

from __future__ import annotations

from typing import Literal, NamedTuple

Style = Literal["", "critical", "warning", "good", "unknown", "strong", "quiet", "hint"]


class Span(NamedTuple):
    """Text with one meaning. A terminal cuts what is absurdly long, unless it must be read as a `whole`.

    What is `typed` is a command to copy: it stands on one line as long as it is, for a shell runs each line by itself.
    To what is `quoted`, as a command that was typed in the past, nothing is added.
    """

    text: str
    style: Style = ""
    whole: bool = False
    typed: bool = False
    quoted: bool = False


Text = tuple[Span, ...]
Part = str | Span | Text


class Line(NamedTuple):
    """A line; what is too long goes on below `body`, or `under` columns in where `head` itself is long.

    One that is a `title` says what stands below it.
    """

    head: Text = ()
    body: Text = ()
    under: int = 4
    title: bool = False


class Row(NamedTuple):
    """A line of a grid: `cells` stand in columns, `body` behind them."""

    cells: tuple[Text, ...]
    body: Text = ()


class Note(NamedTuple):
    """A line of a grid that belongs to the row above it and stands under its column `Grid.under`."""

    head: Text
    body: Text = ()


class Grid(NamedTuple):
    """Rows whose cells share columns, and notes between them."""

    entries: tuple[Row | Note, ...]
    under: int = 1
    indent: int = 2


class Table(NamedTuple):
    """Named columns; the first one names the row. Too wide for a terminal, each row becomes a sentence."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    indent: int = 2


Block = Line | Grid | Table
BLANK = Line()


def text(*parts: Part) -> Text:
    """Joins strings, spans and texts."""
    found: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            found += [Span(part)] if part else []
        elif isinstance(part, Span):
            found.append(part)
        else:
            found.extend(part)
    return tuple(found)


def to_type(command: str) -> Span:
    """A command that is there to be copied: no line break of ours ever goes into it."""
    return Span(command, "hint", whole=True, typed=True)


def line(*parts: Part, indent: int = 0) -> Line:
    """A line of text, `indent` columns in."""
    return Line(text(" " * indent), text(*parts), indent + 2)


def title(word: str, *more: Part) -> Line:
    """The title of what follows: its word, and what there is more to say in the same line."""
    return line(Span(word, "strong"), *more)._replace(title=True)


def row(*cells: Part, body: Part = "") -> Row:
    """A row of a grid."""
    return Row(tuple(text(cell) for cell in cells), text(body))


def note(head: Part, *body: Part) -> Note:
    """A note under a row."""
    return Note(text(head), text(*body))


def joined(parts: list[Text], separator: str = ", ") -> Text:
    """Joins texts with a separator."""
    return text(*(piece for index, part in enumerate(parts) for piece in ((separator if index else ""), part)))

"""Commands to copy, made complete where they are drawn: whoever types them gets the state that was meant here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from memrunbook.ui.block import Block, Grid, Line, Note, Row, Span, Text
from memrunbook.ui.commands import commands_in

Completer = Callable[[str], str]
_COMPLETER: list[Completer] = []
"""Of the command under way: none, or one."""


def complete_by(completer: Completer | None) -> None:
    """From now on it is asked for each command that is drawn; by none they stay as they are."""
    _COMPLETER[:] = [] if completer is None else [completer]


def completed(blocks: Iterable[Block]) -> Iterable[Block]:
    """The same, with the commands in it complete."""
    return (_block(block, _COMPLETER[0]) for block in blocks) if _COMPLETER else blocks


def completed_text(words: str) -> str:
    """The same of words that stand in no block."""
    return "".join(span.text for span in _spans((Span(words),), _COMPLETER[0])) if _COMPLETER else words


def _block(block: Block, complete: Completer) -> Block:
    def said(content: Text) -> Text:
        return tuple(_spans(content, complete))

    if isinstance(block, Line):
        return block._replace(head=said(block.head), body=said(block.body))
    if not isinstance(block, Grid):
        return block
    return block._replace(
        entries=tuple(
            Row(tuple(map(said, entry.cells)), said(entry.body))
            if isinstance(entry, Row)
            else Note(said(entry.head), said(entry.body))
            for entry in block.entries
        )
    )


def _spans(content: Text, complete: Completer) -> Iterator[Span]:
    for span in content:
        words = span.text
        said = [] if span.quoted else commands_in(words)
        places = [(0, len(words))] if span.typed else said
        for begin, end in reversed(places):
            words = f"{words[:begin]}{complete(words[begin:end])}{words[end:]}"
        yield span._replace(text=words)

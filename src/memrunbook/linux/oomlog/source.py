"""Makes a saved log plain: whatever it is wrapped in is taken off, in one order, and lines of a kernel are left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from memrunbook.linux.oomlog.frames import encoding, journal, mail, sheet, verbose
from memrunbook.linux.oomlog.frames.document import unrecorded
from memrunbook.linux.oomlog.frames.escaped import unescaped
from memrunbook.linux.oomlog.frames.folded import unfolded
from memrunbook.linux.oomlog.frames.margin import unclosed, unmargined
from memrunbook.linux.oomlog.frames.markup import cleaned, is_page

LONGEST = 1 << 20
"""Bytes of a line; a longer one is cut in pieces."""
SUSPICIOUS = ("\n", "\x1b", "&", "<", "\\n", "^[[", "\0", "[/")
"""What a record's text holds where it is wrapped in something itself."""


def plain(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The log in pieces of whole lines, ready for the reader."""
    head, rest = encoding.begun(encoding.decoded(pieces))
    whole = chain([head], rest)
    if head.lstrip().startswith(journal.BEGINS):
        yield from journal.records(whole)  # it holds bytes that are no characters
    elif mail.is_mail(head):
        for text in mail.texts(whole):
            yield from _bare(encoding.decoded([text]))
    else:
        yield from _bare(whole)


def _bare(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text of a file, or of a part of a mail."""
    head, rest = encoding.begun(pieces)
    if head.lstrip().startswith(journal.BEGINS):
        yield from journal.records(chain([head], rest))
        return
    if verbose.is_verbose(head):
        yield from verbose.records(_whole_lines(chain([head], rest)))
        return
    if sheet.is_sheet(head):
        yield from sheet.records(_whole_lines(chain([head], rest)), _peeled)
        return
    decoded = (mail.unquoted(block) for block in _whole_lines(chain([head], rest)))
    for block in unrecorded(_unwrapped(_whole_lines(decoded)), _peeled):
        yield unclosed(unescaped(block))


def _unwrapped(blocks: Iterable[bytes]) -> Iterator[bytes]:
    page = False
    for block in blocks:
        page = page or is_page(block)
        yield unfolded(unmargined(cleaned(block, page=page)))


def _peeled(text: str) -> str:
    """The text of a record, which may be a whole log itself."""
    if not any(sign in text for sign in SUSPICIOUS):
        return text
    block = unescaped(text.encode("utf-8", "replace"))
    return unfolded(unmargined(cleaned(block, page=is_page(block)))).decode("utf-8", "replace").rstrip("\n")


def _whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end == 0 and size <= LONGEST:
            waiting.append(piece)
            size += len(piece)
            continue
        end = end or len(piece)
        yield b"".join([*waiting, piece[:end]])
        waiting, size = [piece[end:]], len(piece) - end
    yield b"".join(waiting)

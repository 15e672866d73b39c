"""Reads a kernel log in blocks of whole lines: only lines that hold one of some words are looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable

from memrunbook.linux.oomlog.assemble import Assembly
from memrunbook.linux.oomlog.event import KernelLog
from memrunbook.linux.oomlog.frame import KERNEL, LogLine, unframe
from memrunbook.linux.oomlog.scan import Hit, Words
from memrunbook.linux.oomlog.words import ALL, FIRST, TABLE
from memrunbook.linux.oomlog.wrapped import MARGIN, unwrapped, whole_row

LONGEST = 4096
"""Bytes of a line that are looked at: the kernel's own lines have at most 1,024."""
BLOCK = 1 << 18
PATIENCE = 8 << 20
"""Bytes after which an event that kills nobody is given up."""
OWNER_LINES = 512
MOST_STRANGE = 1000
"""Lines among the rows of a table that are none."""
BLANKS = (b" ", b"\t")
LOOKED_AT = 1 << 15
"""Bytes of a block in which a kernel's line is looked for, where none was found yet."""
_ALL = Words(ALL)
_KERNEL_LINE = re.compile(
    rb"(?m)^[ \t]{0,16}(?:\d{4}-\d\d-\d\d\S{9,24} |std\w+ F )*(?:<\d{1,3}>)?\[ *\d{1,12}\.\d{6}\]"
    rb"|^\d+,\d+,\d+,|\bkernel(?:\[\d+\])?: "
)


def read_log(lines: Iterable[str]) -> KernelLog:
    """Reads a whole log, line by line, whatever its bytes; needs memory for its events only."""
    reader = LogReader()
    for line in lines:
        reader.feed(line.rstrip("\n").encode("utf-8", "backslashreplace") + b"\n")
    return reader.result()


def read_text(log: str) -> KernelLog:
    """The same for a log that is one text; one that makes a single block need not be parted into lines."""
    content = log.encode("utf-8", "backslashreplace")
    if len(content) + 1 >= BLOCK:
        return read_log(log.split("\n"))
    reader = LogReader()
    reader.feed(content + b"\n")
    return reader.result()


class LogReader:
    """Takes a log in pieces of any size; memory is bounded whatever they hold."""

    def __init__(self) -> None:
        self._assembly = Assembly()
        self._waiting: list[bytes] = []
        self._size = self._left = 0
        self._kernel = self._endless = False
        self._owner = b""

    def feed(self, piece: bytes) -> None:
        """Takes the next piece of the log; it may end in the middle of a line."""
        self._waiting.append(piece)
        self._size += len(piece)
        if self._size >= BLOCK:
            self._read()

    def result(self) -> KernelLog:
        """What the log said; nothing more can be fed."""
        self.feed(b"\n")
        self._read()
        return self._assembly.kept.result(kernel=self._kernel)

    def _read(self) -> None:
        """Reads the whole lines that are waiting; of a line that never ends, its beginning."""
        block = b"".join(self._waiting)
        if self._endless:
            block = block[block.find(b"\n") + 1 or len(block) :]
            self._endless = not block
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if len(rest) >= BLOCK:
            block, rest, self._endless = block[: end + LONGEST] + b"\n", b"", True
            end = len(block)
        self._waiting, self._size = [rest], len(rest)
        if end:
            self._block(block[:end])
            self._owner = _owner(block, end, self._owner)

    def _block(self, block: bytes) -> None:
        self._kernel = self._kernel or _KERNEL_LINE.search(block, 0, LOOKED_AT) is not None
        found = _ALL.hits(block)
        if any(not FIRST.isdisjoint(hit.words) for hit in found):
            self._left = PATIENCE
        elif not self._assembly.is_open:
            return
        elif self._left <= 0:
            self._assembly.close()
            return
        self._left -= len(block)
        self._lines(block, found)

    def _lines(self, block: bytes, found: Iterable[Hit]) -> None:
        place = self._assembly.take_rows(block, 0)
        for hit in found:
            if hit.start < place:  # a row of a table that was read already
                continue
            if place < hit.start:
                self._gap(block[place : hit.start])
            self._line(block, hit)
            place = hit.end + 1
            if TABLE in hit.words:
                place = self._assembly.take_rows(block, place)
        if place < len(block):
            self._gap(block[place:])

    def _line(self, block: bytes, hit: Hit) -> None:
        raw = unwrapped(block, hit.start, hit.end)
        if raw.startswith(BLANKS) and _read_line(_owner(block, hit.start, self._owner)).program != KERNEL:
            return
        self._assembly.take(_read_line(raw), hit.words, raw)

    def _gap(self, block: bytes) -> None:
        """Lines without known words: rows of a table with others among them, or what stands below a line."""
        if self._assembly.take_below(block):
            return
        place = strange = 0
        while place < len(block) and self._assembly.wants_rows:
            place, start = self._assembly.take_rows(block, place, mixed=True), place
            if place == start:
                place, strange = block.find(b"\n", start) + 1 or len(block), strange + 1
                raw = whole_row(block, start, place - 1)
                self._assembly.take(_read_line(raw), [], raw)
            if strange > MOST_STRANGE:
                self._assembly.end_table()


def _owner(block: bytes, place: int, before: bytes) -> bytes:
    """The last line before `place` that does not begin with blanks; else `before`, that of the block before.

    Lines with blanks in front go on what it says: what a program logs may look like a kernel's.
    """
    for _ in range(OWNER_LINES):
        start = block.rfind(b"\n", 0, max(0, place - 1)) + 1
        raw = block[start:place]
        if raw and not raw.startswith(BLANKS):
            return raw[:LONGEST]
        if start == 0:
            break
        place = start
    return before


def _read_line(raw: bytes) -> LogLine:
    return unframe(raw[:LONGEST].lstrip(MARGIN).rstrip().decode("utf-8", "backslashreplace"))

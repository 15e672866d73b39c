"""Joins again what a terminal, a pager or a mail program broke: at a column, in the midst of words, or between them.

A block is looked at where a line of the kernel ends too early, and what follows begins no line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from memrunbook.linux.oomlog.frame import unframe

_ENDS: dict[bytes, re.Pattern[bytes]] = {
    b"oom-killer": re.compile(rb"order=-?\d+(?:, oom_\w+=-?\d+)*[ `]*$|oomkilladj=-?\d+[ `]*$"),
    b"illed process": re.compile(rb"\)[.,]?$|rss:\d+kB$|oom_score_adj:-?\d+[ `]*$|total-vm:\d+kB$"),
    b"kB min:": re.compile(rb"present:.*(?:kB|yes|no)[ `]*$"),
    b"*4kB": re.compile(rb"= ?\d+kB[ `]*$"),
    b"oom-kill:constraint": re.compile(rb",uid=\d+[ `]*$"),
    b"total_vm": re.compile(rb"name[ `]*$"),
    b"allocation failure": re.compile(rb"mode:0x[0-9a-f]+(?:\([^)]*\))?(?:,.*)?$"),
    b"to memory pressure": re.compile(rb"activity[ `]*$|\d%[ `]*$"),
}
"""How the longest lines of the kernel end, by a word in them."""
SMALL, MANY, FEW = 1 << 16, 50, 2
"""Bytes of a block in which that many such lines are looked at; in a larger one few: all are broken, or none."""
_TELLING = (b"oom", b"llocation failure", b"illed process")
"""Words without which nothing in a block is worth to be joined."""
_ARROW = re.compile(rb"[ \t]*\xe2\x86\xaa[ \t]?")
_BEGINS = re.compile(
    rb"[ \t]*(?:Node \d|(?:DMA(?:32)?|Normal|HighMem|Movable)(?::| free:)|Mem-[Ii]nfo|Call Trace|CPU *:? ?\d|Pid: \d"
    rb"|\[ *pid *\]|\[ *\d+\] +\d+ |\[<|lowmem_reserve|(?:Free|Total) swap|Swap cache|\d+ (?:total )?pagecache"
    rb"|\d+ (?:pages|slab|reserved) |Out of [Mm]emory|Memory cgroup|Kill(?:ed)? process|Tasks? (?:in|state)"
    rb"|memory: usage|memory\+swap: usage|(?:kmem|swap): usage|oom-kill:|oom_reaper: |[Aa]ctive(?:_anon)?:\d"
    rb"|\S.{0,15} invoked oom-|\S.{0,15}: page allocation|Unreclaimable slab|\S.{0,15} cpuset=|Hardware name|<[/A-Z])"
)
_OTHERS = re.compile(rb"[ \t]*(?:-- |```|\[?\{ *\"|\"[\w.@-]+\" *:|data: |__\w+=)")
_SPLIT = re.compile(
    rb"(?:^|[ ,])[a-z_(]+\x00[a-z_)]*:\d|\d\x00\d*kB|\*\x00\d+kB|\dk\x00B|(?:^|[ ,])[a-z_-]+\x00[a-z_-]*="
    rb"|[a-z]-\x00[a-z]+:\d|[a-z]\x00[a-z]*-rss:|\(\w+\x00\w*\) total|s:\x00\d+kB"
)
"""A word of the kernel with NUL where a line was broken: in the midst of the word."""
JOINT = 40
WIDEST = 400


def unfolded(block: bytes) -> bytes:
    """A block of whole lines; one that was not broken comes back as it is."""
    if (b"\xe2" in block and b"\xe2\x86\xaa" in block) or (b"\\" in block and b"\\\n" in block):
        block = _unmarked(block)
    if not any(word in block for word in _TELLING) or not _is_folded(block):
        return block
    lines = block.split(b"\n")
    pairs = [(a, b) for a, b in pairwise(lines) if _ends_early(a) and _goes_on(b)]
    return b"\n".join(_joined(lines, *_width(pairs)))


def _unmarked(block: bytes) -> bytes:
    """Joins lines whose break is marked: by an arrow in front, or by a backslash at several ends."""
    lines = block.split(b"\n")
    slashes = sum(line.endswith(b"\\") for line in lines) > 1
    widest = _widest(lines)
    out: list[bytes] = []
    for above, line in zip([b"", *lines], lines, strict=False):
        arrow = _ARROW.match(line)
        if arrow and out:
            rest = line[arrow.end() :]
            out[-1] = out[-1] + rest if len(above) in widest else _glued(out[-1], rest)
        elif slashes and out and out[-1].endswith(b"\\") and _goes_on(line, out[-1]):
            before = out[-1][:-1]
            out[-1] = before + (line.lstrip() if before.endswith(b" ") else line)
        else:
            out.append(line)
    return b"\n".join(out)


def _widest(lines: Sequence[bytes]) -> set[int]:
    """How long lines are that were broken in the midst of words in front of an arrow; those with one are narrower."""
    pairs = [(a, b[found.end() :]) for a, b in pairwise(lines) if (found := _ARROW.match(b))]
    kinds = ([pair for pair in pairs if bool(_ARROW.match(pair[0])) is with_one] for with_one in (False, True))
    columns = (_width(kind) for kind in kinds)
    return {column for column, hard in columns if hard}


def _is_folded(block: bytes) -> bool:
    for word, ends in _ENDS.items():
        place = -1
        for _ in range(MANY if len(block) <= SMALL else FEW):
            place = block.find(word, place + 1)
            if place < 0:
                break
            start, end = block.rfind(b"\n", 0, place) + 1, block.find(b"\n", place)
            line = block[start : end if end >= 0 else len(block)]
            stop = block.find(b"\n", end + 1)
            below = block[end + 1 : stop if stop >= 0 else len(block)] if end >= 0 else b""
            if len(line) <= WIDEST and ends.search(line) is None and below and _goes_on(below):
                return True
    return False


def _ends_early(line: bytes) -> bool:
    return any(word in line and ends.search(line) is None for word, ends in _ENDS.items())


def _goes_on(line: bytes, above: bytes = b"") -> bool:
    """Whether a line may go on the record above it: it has words, and begins nothing of its own.

    Where that record has a frame, a line without one begins none, whatever its words.
    """
    if not line.strip() or _OTHERS.match(line):
        return False
    return not _framed(line) and not (_BEGINS.match(line) and not _framed(above))


def _framed(line: bytes) -> bool:
    told = unframe(line[:200].strip().decode("utf-8", "backslashreplace"))
    return told.stamp is not None or bool(told.date) or told.style != "dmesg"


def _width(pairs: Sequence[tuple[bytes, bytes]]) -> tuple[int, bool]:
    """The column at which lines were broken, and whether in the midst of words.

    Between words a line is as wide as its words allow, and its next word did not fit: both bound the column.
    """
    split = [len(a) for a, b in pairs if _is_split(a, b)]
    column = max((len(a) for a, _ in pairs if b" " in a.strip()), default=0)
    if any(width >= column - 1 for width in split):
        return column, True
    return min([column, *(len(a) + len(b.split(None, 1)[0]) for a, b in pairs)]), False


def _is_split(above: bytes, line: bytes) -> bool:
    return _SPLIT.search(above[-JOINT:] + b"\0" + line[:JOINT]) is not None


def _joined(lines: Sequence[bytes], column: int, hard: bool) -> list[bytes]:  # noqa: FBT001 - what _width returns
    out: list[bytes] = []
    above = b""
    for line in lines:
        if out and above.strip() and _belongs(above, line, column, hard=hard) and _goes_on(line, out[-1]):
            cut = hard and len(above) >= column
            out[-1] = out[-1] + line if cut else _glued(out[-1], line)
        else:
            out.append(line)
        above = line
    return out


def _belongs(above: bytes, line: bytes, column: int, *, hard: bool) -> bool:
    """Whether a line goes on the one above: that is full, or ends in the blank of a soft break (RFC 3676)."""
    first = line.split(None, 1)[0] if line.strip() else b""
    if line[:1] in b" \t" and not above.endswith(b" ") and not (hard and len(above) >= column):
        return False
    full = len(above) >= column - 1 if hard else len(above) + len(first) + 1 > column
    return full or above.endswith(b" ") or _ends_early(above)


def _glued(above: bytes, line: bytes) -> bytes:
    """Both with a blank between them, but for words that were broken themselves."""
    if above[-1:] in b" \t" or _is_split(above, line) or (above.endswith(b",") and b"oom-kill:" in above):
        return above + line
    return above + b" " + line.lstrip()

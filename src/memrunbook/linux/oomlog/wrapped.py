"""Joins again what a mail program broke: a line of the kernel that goes on in the next one."""

from __future__ import annotations

import re

MOST = 6
_GOES_ON = re.compile(
    rb"[ \t>]*((?:(?:total-vm|anon-rss|file-rss|shmem-rss|pgtables|oom_score_adj):|UID:\d|mode:0x|score \d"
    rb"|(?:order|oom_score_adj|gfp_mask|nodemask|task_memcg|task|pid|uid)=|(?:or )?sacrifice child"
    rb"|\(.{1,16}\) (?:total-vm|score)|\d+\.\d+\.\S+ #\d|(?:Not )?[Tt]ainted[ :]|(?:[a-z_]+ +)*name[ \t]*(?=\n))"
    rb"[^\n]*)"
)
_PATH = re.compile(rb"[ \t>]*(/[^\n]*)")
BEGUN, ASKED = (b"oom-killer: ", b"invoked oom-killer: "), b"invoked"
LIMIT, SUMMARY = b" limit of", b"oom-kill:"
MARGIN = b" \t>\r"
"""What quotes and indents a line."""
UNSURE = MARGIN + b"oi"
_NAMED = re.compile(rb"\](?:[ \t]+-?\d+){5,}[ \t]+\S*[^\d\s]\S*[ \t\r]*\Z")
"""A row of a table up to its last column, the name: it goes on nowhere."""
FRAME = 3


def unwrapped(block: bytes, start: int, end: int) -> bytes:
    """The line from `start` to `end`, with the lines that it goes on in; one that begins as it does is none of them."""
    raw = block[start:end]
    if raw[:1] not in UNSURE and block.startswith(raw[:FRAME], end + 1):
        return raw
    told = raw.lstrip(MARGIN)
    if told.startswith(BEGUN):
        before = block[block.rfind(b"\n", 0, max(0, start - 1)) + 1 : max(0, start - 1)].rstrip()
        raw = before + b" " + told if before.endswith(ASKED) or (before and told.startswith(ASKED)) else raw
    for _ in range(MOST):
        more = (_PATH if raw.endswith(LIMIT) else _GOES_ON).match(block, end + 1)
        if more is None:
            break
        raw, end = raw.rstrip() + (b"" if SUMMARY in raw else b" ") + more[1], more.end()
    return raw


def whole_row(block: bytes, start: int, end: int) -> bytes:
    """What may be the first part of a table's row, with the line below it, unless that begins as it does.

    A row that has its name is whole: what is below it is another line.
    """
    raw, stop = block[start:end], block.find(b"\n", end + 1)
    below = block[end + 1 : stop if stop >= 0 else len(block)].lstrip(MARGIN)
    if b"]" not in raw or _NAMED.search(raw) or below.startswith(raw.lstrip(MARGIN)[:FRAME]):
        return raw
    return raw + b" " + below

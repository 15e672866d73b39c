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
BEGUN, INVOKED, LIMIT, SUMMARY = b"oom-killer: gfp", b" invoked", b" limit of", b"oom-kill:"
MARGIN, FRAMES = b" \t>\r", (b"[", b"<")
"""What quotes and indents a line, and what most lines begin with: those go nothing on."""


def unwrapped(block: bytes, start: int, end: int) -> bytes:
    """The line from `start` to `end`, with the lines that it goes on in."""
    raw = block[start:end]
    if raw.lstrip(MARGIN).startswith(BEGUN):
        before = block[block.rfind(b"\n", 0, max(0, start - 1)) + 1 : max(0, start - 1)].rstrip()
        raw = before + b" " + raw.lstrip(MARGIN) if before.endswith(INVOKED) else raw
    for _ in range(MOST):
        if block.startswith(FRAMES, end + 1):
            break
        more = (_PATH if raw.endswith(LIMIT) else _GOES_ON).match(block, end + 1)
        if more is None:
            break
        raw, end = raw.rstrip() + (b"" if SUMMARY in raw else b" ") + more[1], more.end()
    return raw

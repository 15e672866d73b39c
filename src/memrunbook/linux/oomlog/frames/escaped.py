"""Lines that were written as one, with the two characters backslash and n between them."""

from __future__ import annotations

import re

_BREAK = re.compile(
    rb"(?:\\r)?\\n(?=[ \t]*(?:\[ *\d{1,12}\.\d|<\d{1,3}>|Node \d|Mem-|CPU: \d|oom-kill:|Killed process|Out of memory"
    rb"|\[ *pid|\[ *\d+\] |(?:in)?active_|Free swap|memory: usage|Memory cgroup"
    rb"|[A-Z][a-z]{2} [ \d]\d \d\d:|\d{4}-\d\d-\d\dT))"
)
_ANY = re.compile(rb"(?:\\r)?\\n")
FEWEST = 2
"""Such breaks in front of a kernel's line, by which all others in a block are known to be breaks too."""


def unescaped(block: bytes) -> bytes:
    """A block with its lines; a single escaped break, as an event of Kubernetes has it, stays."""
    if b"\\" not in block or b"\\n" not in block or len(_BREAK.findall(block)) < FEWEST:
        return block
    return _ANY.sub(b"\n", block).replace(b"\\t", b"\t").replace(b'\\"', b'"')

"""Reads a YAML file into plain values."""

from __future__ import annotations

import hashlib
import re

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.documents.reader import DocumentReader
from memrunbook.documents.source import Source

__all__ = ["Source", "load"]

LARGEST_FILE = 1 << 20
# What YAML 1.2 does not call printable, written as what is refused: the other way round compiles ten times slower.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def load(text: str | bytes, name: str, enough: frozenset[str] = frozenset()) -> Source:
    """Reads one YAML document that is a mapping; `name` is the file's name in messages.

    Only plain data is accepted: no anchors, aliases, tags, duplicate keys or second document; at most 1 MiB and 32
    levels. With `enough` the rest is left unread once the mapping has given these keys: for a list of many files.
    Raises DocumentError with everything that is wrong.
    """
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    decoded = _decode(content, name)
    lines = tuple(LINE_END.split(decoded))
    reader = DocumentReader(name, decoded, lines, enough)
    data = reader.read()
    return Source(name, data, hashlib.sha256(content).hexdigest(), lines, reader.values, reader.keys)


def _decode(content: bytes, name: str) -> str:
    if len(content) > LARGEST_FILE:
        raise DocumentError([Problem(name, "the file is larger than 1 MiB", "split it into several files")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place(content[: error.start].decode("utf-8", "replace"))
        raise DocumentError([Problem(f"{name}:{place}", "the file is not UTF-8", "save it as UTF-8")]) from None
    if found := UNPRINTABLE.search(text):
        where = f"{name}:{_place(text[: found.start()])}"
        raise DocumentError(
            [Problem(where, f"the character U+{ord(found[0]):04X} may not stand in a file", "remove it")]
        )
    return text


def _place(before: str) -> str:
    lines = LINE_END.split(before)
    return f"{len(lines)}:{len(lines[-1]) + 1}"

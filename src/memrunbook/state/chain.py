"""Seals records into a hash chain and finds the first broken link.

A record is one line of JSON: its payload with `seq` (counted from 1), `prev` (the hash of the record before it) and,
always last, `hash`: the SHA-256 of the line without it. The hash is over the very bytes that stand in the file, so no
flipped bit can hide behind another way to write the same value.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from memrunbook.core.text import encodable

RESERVED = frozenset({"seq", "prev", "hash"})
SEALED = re.compile(rb'(.*),"hash":"([0-9a-f]{64})"}\n', re.DOTALL)


class Link(Struct, frozen=True):
    """A place in a chain: the hash of its last record and how many records lead up to it."""

    head: str = "0" * 64
    count: int = 0


NOTHING = Link()


class Verified(Link, frozen=True):
    """The whole chain is intact; it ends here."""


class Torn(Link, frozen=True):
    """The chain is intact up to here; behind it stands `rest`, a last record whose writing was cut off."""

    rest: bytes = b""


class Broken(Struct, frozen=True):
    """The first line (counted from 1) that is not what was sealed, and in what way."""

    line: int
    why: str


class _Place(Struct, frozen=True):
    seq: int
    prev: str


def seal(previous: Link, payload: Mapping[str, Any]) -> tuple[bytes, Link]:
    """Makes the record that follows `previous`: its line, newline included, and the link that it adds.

    The payload holds whatever JSON can say, structs included; numbers that are not finite become null and lone
    surrogates in text become escapes. ValueError where it uses one of the chain's own names.
    """
    if taken := RESERVED & payload.keys():
        raise ValueError(f"a record has its own {', '.join(sorted(taken))}")
    body = canonical({**payload, "seq": previous.count + 1, "prev": previous.head})
    digest = hashlib.sha256(body).hexdigest()
    return body[:-1] + b',"hash":"' + digest.encode() + b'"}\n', Link(digest, previous.count + 1)


def canonical(record: Mapping[str, Any]) -> bytes:
    """A record as JSON with sorted keys."""
    try:
        return msgspec.json.encode(record, order="sorted", enc_hook=_number)
    except UnicodeEncodeError:
        return msgspec.json.encode(encodable(msgspec.to_builtins(record, enc_hook=_number)), order="sorted")


def walk(lines: Iterable[bytes], begin: Link = NOTHING) -> Iterator[Verified | Torn | Broken]:
    """The state of the chain after each line that follows on `begin`, newline included; the last one is the verdict."""
    link: Verified | Torn = Verified(begin.head, begin.count)
    for number, line in enumerate(lines, begin.count + 1):
        state = _follow(link, line, number)
        yield state
        if isinstance(state, Broken):
            return
        link = state


def verify(lines: Iterable[bytes], begin: Link = NOTHING) -> Verified | Torn | Broken:
    """Finds the first broken link in what follows on `begin`. An empty chain is intact."""
    verdict: Verified | Torn | Broken = Verified(begin.head, begin.count)
    for state in walk(lines, begin):
        verdict = state
    return verdict


def last(line: bytes) -> Link | None:
    """The link that a record's line adds; None where the line is not what was sealed."""
    sealed = _open(line)
    return Link(sealed[0], sealed[1].seq) if sealed else None


def _follow(link: Verified | Torn, line: bytes, number: int) -> Verified | Torn | Broken:
    if isinstance(link, Torn):
        return Broken(number - 1, "the line does not end where its record does")
    if not line.endswith(b"\n"):
        whole = _open(line[:-1] + b"\n")
        return Broken(number, "the newline behind the record is gone") if whole else Torn(link.head, link.count, line)
    sealed = _open(line)
    if sealed is None:
        return Broken(number, "the record is not the one that was sealed: its hash does not match")
    head, place = sealed
    if place.seq != link.count + 1:
        why = f"record {place.seq} stands where record {link.count + 1} belongs"
        return Broken(number, f"{why}: records were removed, inserted or moved")
    if place.prev != link.head:
        return Broken(number, "the record does not follow the one before it: that one was replaced")
    return Verified(head, place.seq)


def _open(line: bytes) -> tuple[str, _Place] | None:
    match = SEALED.fullmatch(line)
    if match is None or hashlib.sha256(match[1] + b"}").hexdigest().encode() != match[2]:
        return None
    try:
        return match[2].decode(), msgspec.json.decode(match[1] + b"}", type=_Place)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _number(value: object) -> int | float:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in a record")

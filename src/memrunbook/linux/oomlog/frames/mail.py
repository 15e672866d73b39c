"""A raw mail or a mailbox: the texts of its parts, decoded; quoted-printable text without its headers too."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from email.message import Message

LONGEST = 8 << 20
"""Bytes of a mail; a longer one is read as the text that it is."""
_HEADER = rb"(?:[A-Za-z][A-Za-z0-9-]{1,60}:(?: [^\n]*)?\r?\n(?:[ \t]+\S[^\n]*\n)*)"
_MAIL = re.compile(rb"\s*(?:From [^\n]*\n|>?From [^\n]*\n)?" + _HEADER + b"+")
_SURE = re.compile(rb"(?im)^(?:subject|from|message-id|mime-version|received|content-(?:type|transfer-encoding)):")
_NEXT = re.compile(rb"\n(?=From [^\n]{1,200}\d\d:\d\d(?::\d\d)? [^\n]{0,10}\d{4}\r?\n)")
_NOT_QUOTED = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")


def is_mail(head: bytes) -> bool:
    """Whether a log begins with the headers of a mail."""
    found = _MAIL.match(head)
    return found is not None and _SURE.search(found[0]) is not None


def texts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The decoded texts of each mail, in their order; of alternatives the plain one."""
    waiting, long = b"", False
    for piece in pieces:
        waiting += piece
        while found := _NEXT.search(waiting):
            yield from [waiting[: found.end()]] if long else _texts(waiting[: found.end()])
            waiting, long = waiting[found.end() :], False
        if long or len(waiting) > LONGEST:
            end = waiting.rfind(b"\n") + 1 or len(waiting)
            yield waiting[:end]
            waiting, long = waiting[end:], True
    yield from [waiting] if long else _texts(waiting)


def unquoted(block: bytes) -> bytes:
    """A block of whole lines, decoded where each `=` in it is one of quoted-printable."""
    if b"=3D" in block and _NOT_QUOTED.search(block) is None:
        return binascii.a2b_qp(block)
    return block


def _texts(mail: bytes) -> Iterator[bytes]:
    from email import message_from_bytes

    for part in _parts(message_from_bytes(mail)):
        text = _text(part)
        yield text if text.endswith(b"\n") else text + b"\n"


def _parts(part: Message) -> Iterator[Message]:
    inner = part.get_payload()
    if not isinstance(inner, list):
        yield part
        return
    several = [one for one in inner if isinstance(one, Message)]
    if part.get_content_subtype() == "alternative":
        plain = [one for one in several if one.get_content_type() == "text/plain"]
        several = plain[:1] or several[-1:]
    for one in several:
        yield from _parts(one)


def _text(part: Message) -> bytes:
    """A part's bytes; where the headers say quoted-printable and the text is none, as it stands."""
    body = part.get_payload(decode=False)
    raw = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else b""
    named = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if named == "quoted-printable" and _NOT_QUOTED.search(raw):
        return raw
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else raw

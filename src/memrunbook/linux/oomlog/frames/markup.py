"""Colours of a terminal, HTML, BBCode, and what no log has: NUL bytes, carriage returns, blanks that do not break."""

from __future__ import annotations

import html
import re

_COLOUR = re.compile(
    rb"(?:\x1b|\^\[|#033|\\x1b|\\033|\\e)\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[()][0-9A-Z]"
)
_COLOURED = {b"\x1b": b"\x1b", b"^": b"^[[", b"\\": b"[", b"#": b"#033["}
"""A byte that is fast to look for, and the beginning of a colour that it may be of."""
_ENTITIES = re.compile(
    rb"(?m)^&(?:lt;\d|gt;)|\[&lt;[0-9a-f]{8}|&lt;/?(?:TASK|IRQ|NMI)&gt;|^[^&\n]{0,40}&lt;\d{1,2}&gt;|&nbsp;"
)
_ESCAPED = re.compile(rb"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,5}|#x[0-9a-fA-F]{1,5});")
_MARK = re.compile(rb"<(?i:/?(?:pre|html|!doctype|body|div|code|p|table|span|br|samp|tt|font)\b)")
_PAGE = re.compile(
    rb"(?im)^[ \t>|]*<(?:pre|html|!doctype|body|div|code|p|table|span|br|samp|tt|font)\b[^>\n]*>"
    rb"|<br ?/?>(?=\n|\[ *\d+\.\d)"
)
_LINE_END = re.compile(rb"(?i)<br ?/?>\n?|</(?:p|div|li|tr|pre|h\d)>\n?")
_TAG = re.compile(
    rb"(?i)</?(?:pre|html|head|body|div|code|p|table|tbody|td|tr|th|span|samp|tt|font|b|i|em|strong|a|li|ul|ol|meta|title"
    rb"|blockquote|mark|small|h\d)(?:\s[^>\n]{0,400})?>|<!doctype[^>\n]*>"
)
_CODES = (
    rb"code|b|i|u|s|quote|color|colour|size|font|pre|icode|spoiler|list|url|php|bash|highlight|mono|tt|indent|noparse"
)
_CODE = re.compile(rb"(?i)\[/?(?:" + _CODES + rb")(?:=[^\]\n]{0,80})?\]")
_CLOSED = re.compile(rb"(?i)\[/(?:" + _CODES + rb")\]")
NOTHING = (b"\r", b"\0")


def is_page(block: bytes) -> bool:
    """Whether a block holds marks of HTML where lines begin or end."""
    return b"<" in block and _MARK.search(block) is not None and _PAGE.search(block) is not None


def cleaned(block: bytes, *, page: bool) -> bytes:
    """A block of whole lines without colours and marks; `page`: it is HTML."""
    if any(byte in block and sign in block for byte, sign in _COLOURED.items()):
        block = _COLOUR.sub(b"", block)
    if page:
        block = _TAG.sub(b"", _LINE_END.sub(b"\n", block))
    if b"&" in block and (page or (b";" in block and _ENTITIES.search(block))):
        block = _ESCAPED.sub(lambda found: html.unescape(found[0].decode()).encode("utf-8", "replace"), block)
    if b"[/" in block and _CLOSED.search(block):
        block = _CODE.sub(b"", block)
    if b"\xa0" in block:
        block = block.replace(b"\xc2\xa0", b" ")
    for byte in NOTHING:
        if byte in block:
            block = block.replace(byte, b"")
    return block

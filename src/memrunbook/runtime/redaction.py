"""Hides what looks like a secret before it is kept or shown: `--password=x`, `token: x`, `--token x`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, TypeVar, cast

import msgspec

from memrunbook.core.reading.fact import Reading
from memrunbook.core.run.record import Envelope, decode, plain
from memrunbook.core.text import encodable
from memrunbook.core.units import encode

# After a blank, what begins with "-" is the next option (--no-ask-password -- NAME), not a secret.
NAMES = r"(?:password|passwd|passphrase|secret|token|api[-_]?key)"
SECRET = re.compile(rf"(?i)({NAMES}\w*)(\s*[=:]\s*|\s+(?!-))(\S+)")
OPTION = re.compile(rf"(?i)--?[\w-]*(?<!no-ask-){NAMES}")
# In folded text, whatever kind of i it was: with and without a dot, one character or two.
API_KEY = re.compile(r"ap..?[-_]?key")
HIDDEN = "[redacted]"
E = TypeVar("E", bound=Envelope)


def redact(text: str) -> str:
    """Hides what looks like a secret in a text."""
    return SECRET.sub(rf"\1\2{HIDDEN}", text) if may_hold_secret(text) else text


def redacted(value: Any) -> Any:
    """The same for plain values: in a list, the word behind an option that names a secret is hidden too."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redacted(entry) for key, entry in value.items()}
    if not isinstance(value, list | tuple):
        return value
    behind = [False, *(_names_secret(one) and not _is_option(two) for one, two in pairwise(value))]
    return [HIDDEN if hidden else redacted(entry) for entry, hidden in zip(value, behind, strict=False)]


def without_secrets(envelope: E, readings: Mapping[str, type[Reading]]) -> E:
    """The envelope with what looks like a secret hidden; itself where nothing does. `readings`: the facts' types.

    What the journal keeps and what a run is told is this: a run that is read back has seen the same.
    """
    try:
        if not may_hold_secret(msgspec.json.encode(envelope, enc_hook=encode).decode()):
            return envelope
    except UnicodeEncodeError:  # a lone surrogate, from a command line or an error's text
        return cast("E", decode(redacted(encodable(plain(envelope))), readings))
    return cast("E", decode(redacted(plain(envelope)), readings))


def may_hold_secret(text: str) -> bool:
    """False for nearly every text, in a hundredth of the time that the search takes; case is folded as it folds it."""
    folded = text.casefold()
    return (
        "passw" in folded
        or "passphrase" in folded
        or "secret" in folded
        or "token" in folded
        or ("key" in folded and API_KEY.search(folded) is not None)
    )


def named_secret(name: str) -> bool:
    """True for a name that is one of a secret, as `db_password`."""
    return re.search(rf"(?i){NAMES}", name) is not None


def _names_secret(word: Any) -> bool:
    return isinstance(word, str) and word.startswith("-") and OPTION.fullmatch(word) is not None


def _is_option(word: Any) -> bool:
    return not isinstance(word, str) or word.startswith("-")

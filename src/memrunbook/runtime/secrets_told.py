"""The values that this process was told are secret: parameters marked `secret: true`.

They are kept for the whole process on purpose: a secret that was once read may turn up in whatever a host says later,
in an error, or in the report of a defect, where nobody can hand it in.
"""

from __future__ import annotations

import re
import shlex
import threading
from functools import cache
from urllib.parse import quote

import msgspec
from msgspec import inspect as mi

LEAST = 4
"""Shorter values would be found in every word."""
LEAST_LINE = 8
"""A line of a longer secret that is hidden where it stands alone."""
ORDINARY = re.compile(r"[A-Za-z]{1,7}|[0-9]{1,7}")
"""A short word or number, which is part of many others: it is hidden where it stands alone."""
ALONE = r"(?<![\w.\-]){}(?![\w\-]|\.\w)"


class SecretsTold:
    """Secrets, and the ways in which they are written: as they are, in JSON, for a shell, in a URL, line by line."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()
        self._turn = threading.Lock()
        self.pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Hides a value from now on; ValueError for one that is too short to be hidden, or a word of the journal."""
        if len(value) < LEAST:
            raise ValueError(
                f"a secret of fewer than {LEAST} characters cannot be hidden: it would be found everywhere"
            )
        if value in _words_of_journals():
            raise ValueError(
                f"a secret cannot be {value!r}: it is a word of the journal, which could not be read any more; "
                "take another one, or do not mark it as a secret"
            )
        with self._turn:
            forms = {*self._forms, *_forms(value)}
            self._forms = tuple(sorted(forms, key=len, reverse=True))
            self.pattern = re.compile("|".join(map(_pattern, self._forms)))

    def in_text(self, text: str) -> bool:
        """Whether one of them stands in a text."""
        return any(form in text for form in self._forms)

    def forget(self) -> None:
        """Hides nothing of what was told any more: for tests."""
        with self._turn:
            self._forms, self.pattern = (), None


def _pattern(form: str) -> str:
    return ALONE.format(form) if ORDINARY.fullmatch(form) else re.escape(form)


@cache
def _words_of_journals() -> frozenset[str]:
    """What records are told apart by, and what their fields may only be: hidden, none of them could be decoded."""
    from memrunbook.core.run.record import Envelope

    words: set[str] = set()
    _collect(mi.type_info(Envelope), words, set())
    return frozenset(words)


def _collect(kind: object, words: set[str], seen: set[type]) -> None:
    """The words of a type, and of those inside it."""
    if kind is None:
        return
    inside = [getattr(kind, name, None) for name in ("item_type", "key_type", "value_type", "type")]
    inside += [one for name in ("types", "item_types") for one in getattr(kind, name, ())]
    match kind:
        case mi.StructType() if kind.cls not in seen:
            seen.add(kind.cls)
            words.add(str(kind.tag))
            inside += [one.type for one in kind.fields]
        case mi.LiteralType():
            words.update(map(str, kind.values))
        case mi.EnumType():
            words.update(str(member.value) for member in kind.cls)
    for one in inside:
        _collect(one, words, seen)


def _forms(value: str) -> set[str]:
    lines = [line for line in value.splitlines() if len(line) >= LEAST_LINE]
    return {
        form
        for part in (value, *lines)
        for form in (part, msgspec.json.encode(part).decode()[1:-1], shlex.quote(part), quote(part, safe=""))
    }


told = SecretsTold()

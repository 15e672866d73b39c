"""Refuses expressions in words that help: what CEL says of them, and what CEL would let pass."""

from __future__ import annotations

import re
from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
LITERAL = re.compile(r"""r?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
ASKS_AWAY = re.compile(r"(?<![.\w])(?:has(?=\s*\()|null\b)")
CEL_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


class ConditionError(ValueError):
    """An expression that cannot be used: what is wrong with it, at which word or offset, and how to mend it."""

    def __init__(self, message: str, hint: str = "", line: int = 1, column: int = 1, word: str = "") -> None:
        super().__init__(message)
        self.message, self.hint, self.line, self.column, self.word = message, hint, line, column, word


def names_in(source: str) -> list[str]:
    """Every word with its dots that may be a name; what stands in quotes is none."""
    return NAME.findall(LITERAL.sub('""', source))


def explained(text: str, names: Iterable[str]) -> ConditionError:
    """What CEL said of an expression that may use these names, with a suggestion."""
    match = CEL_ERROR.search(text)
    line, column, message = (int(match[1]), int(match[2]), match[3]) if match else (1, 1, text)
    message = message.removesuffix(" [INVALID_ARGUMENT]")
    hint = word = ""
    if name := re.search(r"undeclared reference to '([^']+)'", message):
        word = name[1]
        message, hint = _unknown(word, names)
    elif "no matching overload" in message and "double" in message and "int" in message:
        message += ": whole numbers and decimals do not mix"
        hint = 'write decimals for percentages, rates and seconds ("64.0"), whole numbers for bytes and counts'
    elif message.startswith("Syntax error"):
        hint = "an expression is CEL: && || ! == < in, and text in quotes"
    return ConditionError(message, hint, line, column, word)


def _unknown(name: str, names: Iterable[str]) -> tuple[str, str]:
    from difflib import get_close_matches

    close = get_close_matches(name, list(names), n=1, cutoff=0.6)
    what = "metric" if "." in name else "name"
    return (
        f"unknown {what} {name!r}",
        f"did you mean {close[0]!r}?" if close else "runbook facts lists every metric",
    )


def refuse_words(source: str) -> None:
    """ConditionError for words by which "could not be read" would become "no"."""
    if found := ASKS_AWAY.search(LITERAL.sub('""', source)):
        message = f'{found[0]} is not offered: it would turn "could not be read" into "no"'
        raise ConditionError(message, "write <fact>.supported", word=found[0])

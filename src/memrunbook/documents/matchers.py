"""Reads label matchers as PromQL writes them between its braces: what is wrong with them is said before they are asked.

https://prometheus.io/docs/prometheus/latest/querying/basics/: NAME OPERATOR "VALUE", between commas.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from memrunbook.core.text import clean

OPERATORS = ("=", "!=", "=~", "!~")
LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPERATOR = re.compile(r"=~|!~|!=|==|=|~|<>|[<>]=?")
VALUE = re.compile(r'"((?:[^"\\\n]|\\.)*)"' + r"|'((?:[^'\\\n]|\\.)*)'" + r"|`([^`]*)`")
OTHER_DIALECT = re.compile(r"\(\?(?:=|!|<=|<!|>)|\\[1-9]|[*+?}]\+")
"""What RE2, which Prometheus uses, does not have: looking around, references back, possessive repeats."""
RE2_ALONE = re.compile(r"\\[pPzQEC]|\(\?[imsU-]+\)|\[\[:")
"""What it has, and Python's expressions have not, or write otherwise: that is left to the server to judge."""
EXAMPLE = 'write as in alertname="Failover", severity=~"page|critical"'


class AlertingSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`unless_alerting`: a Prometheus server, and which of its firing alerts hold the schedule back."""

    url: Annotated[str, Meta(pattern="^https?://[^/@]+", description="of the server, as in http://prometheus:9090")]
    alerts: Annotated[
        str,
        Meta(min_length=1, description='label matchers of PromQL, as in alertname="Failover", severity=~"page|c.*"'),
    ]


class _Wrong(NamedTuple):
    message: str
    hint: str = EXAMPLE


def wrong_alerting(spec: AlertingSpec | None) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the matchers of a schedule: its key, the message, the hint."""
    wrong = None if spec is None else _wrong(spec.alerts)
    if wrong is not None:
        yield "unless_alerting", f"alerts: {wrong.message}", wrong.hint


def _wrong(text: str) -> _Wrong | None:
    rest = text.strip()
    if not rest:
        return _Wrong("there is no matcher: every alert would hold it back", f'{EXAMPLE}; alertname!="" is every alert')
    if rest.startswith("{") or rest.endswith("}"):
        return _Wrong("leave the braces out: matchers alone stand here")
    while rest:
        found = _first(rest)
        if isinstance(found, _Wrong):
            return found
        rest = found.strip()
    return None


def _first(text: str) -> str | _Wrong:
    """What follows the first matcher and its comma."""
    name = LABEL.match(text)
    if name is None:
        return _Wrong(f"a label's name is expected at {_shown(text)}")
    rest = text[name.end() :].lstrip()
    operator = OPERATOR.match(rest)
    if operator is None or operator[0] not in OPERATORS:
        said = operator[0] if operator else _shown(rest)
        known = ", ".join(OPERATORS)
        return _Wrong(f"behind {clean(name[0])} one of {known} is expected, not {said}")
    rest = rest[operator.end() :].lstrip()
    value = VALUE.match(rest)
    if value is None:
        what = (
            "its quote does not end"
            if rest[:1] in ('"', "'", "`")
            else f"its value stands in quotes, not {_shown(rest)}"
        )
        return _Wrong(f"{clean(name[0])}{operator[0]}: {what}")
    said = next(group for group in value.groups() if group is not None)
    wrong = _judged(name[0], operator[0], said)
    rest = rest[value.end() :].lstrip()
    if wrong is None and rest and not rest.startswith(","):
        wrong = _Wrong(f"a comma is expected behind {clean(name[0])}{operator[0]}{value[0][:40]}, not {_shown(rest)}")
    return wrong or rest[1:]


def _judged(name: str, operator: str, value: str) -> _Wrong | None:
    if name == "alertstate":
        return _Wrong("alertstate is not for you to say: only alerts that fire are asked for", "leave it out")
    if "~" not in operator:
        return None
    if OTHER_DIALECT.search(value):
        return _Wrong(f"Prometheus has no such regular expression: {_shown(value)}", "it knows RE2: no (?=…), no \\1")
    if RE2_ALONE.search(value):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(value.replace("\\\\", "\\"))
    except (re.error, OverflowError, RecursionError) as error:
        return _Wrong(
            f"{name}{operator}: {_shown(value)} is no regular expression: {error}",
            "a dot or bracket that is meant is written \\\\.",
        )
    return None


def _shown(text: str) -> str:
    return f"'{clean(text, 40)}'" if text else "the end"

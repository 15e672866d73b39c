"""Reads `alerts` of config.yaml: which alert means which runbook, and how far that may go by itself."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import Problem
from memrunbook.core.plan.consents import AGAIN, FREEZE
from memrunbook.core.units import DAY, HOUR, MINUTE, Duration, format_duration
from memrunbook.documents.source import Source

RISKS: Mapping[str, Risk] = {risk.word: risk for risk in Risk}
OTHER_DIALECT = re.compile(r"\.[*+]|\||^\^|\$$|^[!=]?~")
OPEN_BRACKET = re.compile(r"\[(?!(?:!|(?!!))(?:\][^\]]*\]|[^\]]+\]))")
WINDOW = (float(MINUTE), float(DAY))
Pattern = Annotated[str, Meta(min_length=1, description="a shell pattern")]
LabelName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="as Prometheus calls it")]


class AlertSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `alerts`; of those that match an alert the first counts."""

    alertname: Annotated[Pattern, Meta(description="a shell pattern of the alert's name")]
    labels: Annotated[
        dict[LabelName, Pattern], Meta(description="only with these labels; each value a shell pattern")
    ] = {}
    runbook: Annotated[str, Meta(min_length=1, description="what is done where its incident is found on the host")]
    host_label: Annotated[LabelName, Meta(description="the label that names the host; its port is left out")] = (
        "instance"
    )
    mode: Annotated[
        Literal["plan", "run"], Meta(description="plan: nothing is done, a plan waits for a person; run: see max_risk")
    ] = "plan"
    max_risk: Annotated[
        Literal["none", "low", "medium", "high"],
        Meta(description="nothing above it is done; the rest waits for a person"),
    ] = "low"
    allow: Annotated[tuple[str, ...], Meta(description="what of risk medium or high is done: ACTION[:TARGET]")] = ()
    window: Annotated[Duration, Meta(description="the same alert is counted, not answered again, so long")] = Duration(
        HOUR
    )
    inventory: Annotated[str | tuple[str, ...] | None, Meta(description="as of defaults; else that one")] = None


class AlertRule(Struct, frozen=True):
    """What config.yaml says of an alert, with the line where it says so, and where its inventories are."""

    spec: AlertSpec
    where: str
    inventory: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it is about an alert with these labels."""
        wanted = {"alertname": self.spec.alertname, **self.spec.labels}
        return all(name in labels and fnmatch.fnmatchcase(labels[name], one) for name, one in wanted.items())

    @property
    def risk(self) -> Risk:
        """The highest risk of what is done without a person."""
        return RISKS[self.spec.max_risk]


def alert_rules(
    source: Source, given: tuple[AlertSpec, ...], inventories: Callable[[str], str], problems: list[Problem]
) -> tuple[AlertRule, ...]:
    """The entries with their places; what is wrong with one is added to the problems.

    `inventories` makes the path of an inventory absolute.
    """
    least, most = WINDOW
    found = []
    for number, spec in enumerate(given):
        if not least <= spec.window <= most:
            words = f"must be from {format_duration(least)} to {format_duration(most)}"
            problems.append(Problem(source.where(("alerts", number, "window")), f"{words}, is {spec.window:g} s"))
        problems += _wrong_patterns(source, number, spec)
        if (before := _never(given[:number], spec)) is not None:
            what = f"this is never reached: the entry in {source.line(('alerts', before))} takes all that it is about"
            problems.append(Problem(source.where(("alerts", number)), what, "put the narrower one first"))
        for place, word in enumerate(spec.allow):
            if word.startswith((AGAIN, FREEZE)):
                what = "nobody is there who could judge that: only ACTION or ACTION:TARGET is allowed here"
                hint = "leave it out: a plan waits for a person then"
                problems.append(Problem(source.where(("alerts", number, "allow", place)), what, hint))
        named = (spec.inventory,) if isinstance(spec.inventory, str) else spec.inventory or ()
        found.append(AlertRule(spec, source.line(("alerts", number)), tuple(inventories(one) for one in named)))
    return tuple(found)


def _wrong_patterns(source: Source, number: int, spec: AlertSpec) -> Iterator[Problem]:
    """Patterns that match nothing of what they look as if they did."""
    if OTHER_DIALECT.search(spec.alertname):
        what = f"{spec.alertname!r} looks like a regular expression: a shell pattern stands here"
        hint = "* is any text, ? one character, [ab] one of these; several names are several entries"
        yield Problem(source.where(("alerts", number, "alertname")), what, hint)
    named: dict[tuple[str, ...], str] = {("alertname",): spec.alertname}
    named |= {("labels", name): one for name, one in spec.labels.items()}
    for key, pattern in named.items():
        if OPEN_BRACKET.search(pattern):
            what, hint = f"{pattern!r}: its bracket does not end", "a bracket that is meant is written [[]"
            yield Problem(source.where(("alerts", number, *key)), what, hint)


def _never(before: Sequence[AlertSpec], spec: AlertSpec) -> int | None:
    """The place of the entry that takes all alerts of this one; None where none does."""
    for place, one in enumerate(before):
        same_labels = one.labels.keys() <= spec.labels.keys()
        all_of_them = all(value in ("*", spec.labels.get(name)) for name, value in one.labels.items())
        if one.alertname in ("*", spec.alertname) and same_labels and all_of_them:
            return place
    return None

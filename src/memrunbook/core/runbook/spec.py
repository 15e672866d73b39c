"""The runbook language: what a file says, field for field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from memrunbook.core.units import Duration

Severity = Literal["info", "warning", "critical"]
CauseKind = Literal["unit", "process", "cgroup", "mount", "setting", "kernel"]
Text = str | list[str]
Positive = Annotated[int, Meta(ge=1)]


class ParameterSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter that `-p NAME=VALUE` may set; a duration is seconds and a size is bytes in expressions.

    The value of a `secret` one, a string, stands in no journal, plan, report, screen, log or evidence.
    """

    type: Literal["integer", "number", "boolean", "string", "size", "duration"]
    default: int | float | bool | str
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    enum: list[int | float | str] | None = None
    description: str = ""
    secret: bool = False


class Sampling(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a host is read before it is judged."""

    count: Positive = 3
    every: Duration = Duration(5)


class CheckSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One diagnostic question; it fires when `when` holds."""

    id: str
    name: str
    when: Text
    severity: Severity
    explain: str = ""


class ResolvedSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """When the incident is over: `that` has held for `hold`."""

    that: Text
    hold: Duration = Duration(0)


class CauseSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may be behind the incident: items, what to call them, and how strongly each is suspected."""

    kind: CauseKind
    name: str
    score: str
    from_: str = msgspec.field(default="", name="from")


class GuardSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold before a step may run, and why."""

    that: Text
    why: str


class VerifySpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What proves a step: `that` has held for `hold` before `within` has passed."""

    that: Text
    within: Duration = Duration(60)
    hold: Duration = Duration(0)


class RetriesSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How often an idempotent step is tried again."""

    times: Positive
    every: Duration


class StepSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One remediation step."""

    id: str
    name: str
    action: str
    with_: dict[str, Any] = msgspec.field(default_factory=dict, name="with")
    when: Text | None = None
    guard: list[GuardSpec] = []
    for_each: str | None = None
    key: str = "item.name"
    limit: Positive = 1
    verify: VerifySpec | None = None
    on_failure: Literal["stop", "continue"] = "stop"
    confirm: Literal["auto", "always"] = "auto"
    retries: RetriesSpec | None = None


class RunbookSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A runbook as it stands in its file."""

    apiVersion: Literal["memrunbook/v1"]  # noqa: N815  the field's own spelling, known from Kubernetes
    name: str
    title: str
    description: str = ""
    parameters: dict[str, ParameterSpec] = {}
    sample: Sampling = Sampling()
    signals: list[str] = []
    checks: list[CheckSpec]
    incident: str
    resolved: ResolvedSpec | None = None
    subsumes: list[str] = []
    causes: list[CauseSpec] = []
    steps: list[StepSpec]

"""What can be written in `schedules.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from memrunbook.core.schedule import CatchUp
from memrunbook.core.units import Duration
from memrunbook.documents.matchers import AlertingSpec
from memrunbook.documents.rollouts import NumberOfHosts, Numbers

CRON = 'five fields: minute hour day month weekday, as in "30 3 * * 1-5"; at 3:30 each day: "30 3 * * *"'
WHEN = 'a date, or a date and a time of its time zone, as in "2026-12-01 06:00"'
Several = tuple[Annotated[str, Meta(min_length=1)], ...]
Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]*$", max_length=60)]


class ScheduleSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One schedule: when, what, where, and what it may do without being asked."""

    name: Annotated[Name, Meta(description="what it is called in records and commands")]
    runbook: Annotated[str, Meta(min_length=1, description="a runbook by name, or by a path beside schedules.yaml")]
    hosts: Annotated[
        str | Several, Meta(description="as --host: names, groups and patterns of the inventory, or local")
    ]
    cron: Annotated[str, Meta(min_length=1, description=CRON)] | None = None
    every: Annotated[Duration, Meta(description="instead of cron: an interval, 5s to 366d")] | None = None
    timezone: Annotated[str, Meta(min_length=1, description="an IANA time zone, as in Europe/Berlin")] = "UTC"
    jitter: (
        Annotated[Duration, Meta(description="each firing starts up to so much later; 1m for cron, a tenth of every")]
        | None
    ) = None
    inventory: Annotated[str | Several, Meta(description="as -i; without it that of config.yaml")] = ()
    parameters: Annotated[
        dict[str, str | int | float | bool], Meta(description="parameters of the runbook, as -p")
    ] = {}
    mode: Annotated[
        Literal["plan", "run"], Meta(description="plan: say what would be done; run: do what max_risk and allow let it")
    ] = "plan"
    max_risk: Annotated[
        Literal["none", "low", "medium"], Meta(description="the highest risk that is done without being asked")
    ] = "low"
    allow: Annotated[
        Several, Meta(description="ACTION:TARGET that is done beyond that, as in restart_unit:search-api.service")
    ] = ()
    overlap: Annotated[Literal["skip"], Meta(description="while the one before runs, the next one is skipped")] = "skip"
    misfire_grace: (
        Annotated[
            Duration, Meta(description="a firing may start so much late, and waits so long for another run on its host")
        ]
        | None
    ) = None
    catch_up: Annotated[CatchUp, Meta(description="of what was missed: none, the last, or all (24 at most)")] = "none"
    not_during: Annotated[
        str | Several, Meta(description="names of freezes of config.yaml, and iCalendar files (.ics)")
    ] = ()
    valid_from: Annotated[str, Meta(description=WHEN)] | None = None
    valid_until: Annotated[str, Meta(description=WHEN)] | None = None
    pause_on_failure: Annotated[int, Meta(ge=1, le=100, description="after so many failures in a row")] | None = None
    unless_alerting: Annotated[
        AlertingSpec | None, Meta(description="alerts of a Prometheus server that hold it back while they fire")
    ] = None
    serial: Annotated[Numbers, Meta(description="as --serial")] = None
    max_failures: Annotated[NumberOfHosts | None, Meta(description="as --max-failures")] = None
    patience: Annotated[Duration, Meta(description="as --patience")] | None = None
    timeout: (
        Annotated[Duration, Meta(description="after so long nothing new is begun, and the firing has failed")] | None
    ) = None
    reason: Annotated[str, Meta(description="kept in the journal")] = ""


class SchedulesSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: a list of schedules."""

    schedules: Annotated[tuple[ScheduleSpec, ...], Meta(description="the schedules; a broken one stops only itself")]

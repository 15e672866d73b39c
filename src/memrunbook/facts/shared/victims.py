"""The services that lost a process to the OOM killer: whose limit it was, and whether a start would end so again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from memrunbook.core.reading.fact import Doc
from memrunbook.core.units import Unit
from memrunbook.facts.shared.kills import Kills
from memrunbook.linux.service import Service

UNKNOWN_AGE = 1e9
START_SECONDS = 5.0
"""The kernel's log and systemd use clocks that drift apart: a service this much older than a kill survived it."""


class VictimUnit(Service, frozen=True, kw_only=True):
    """A service that lost a process to the OOM killer."""

    lost_child: Annotated[bool, Doc("it runs on since before the kill, without that process", source="dmesg")] = False
    own_limit: Annotated[bool, Doc("its own limit was hit, not that of a group above it", source="oom_memcg")] = False
    limit_group: Annotated[str, Doc("control group whose limit was hit by its newest kill", source="oom_memcg")] = ""
    limit_bytes: Annotated[int | None, Doc("that limit, as it was then", Unit.BYTES, "dmesg")] = None
    kills: Annotated[int, Doc("kills of it in the log", Unit.COUNT, "dmesg")] = 0
    lived_seconds: Annotated[
        float | None, Doc("from its last start to its newest kill, where it is down", Unit.SECONDS, "dmesg, systemctl")
    ] = None
    died_soon: Annotated[bool, Doc("it reached a limit within minutes of its start", source="dmesg, systemctl")] = False
    limit_stands: Annotated[bool, Doc("that limit is its own, and no higher by now", source="MemoryMax")] = False
    kill_age_seconds: Annotated[
        float, Doc("since its newest kill; 1e9 where the log shows none", Unit.SECONDS, "dmesg")
    ] = UNKNOWN_AGE
    handled: Annotated[bool, Doc("an earlier run dealt with it", source="ledger")] = False


def victims(services: Iterable[Service], kills: Mapping[str, Kills]) -> list[VictimUnit]:
    """Services by the units of the events; those that systemd says ended so, also where the log is lost.

    Who grew was met again and again, or held most at the end: others come back before it.
    """
    found = [one for one in services if one.name in kills or one.result == "oom-kill"]
    known = [(one, kills.get(one.name, Kills())) for one in found]
    known.sort(key=lambda pair: (pair[1].count, pair[1].held_bytes))
    return [_victim(service, killed) for service, killed in known]


def _victim(service: Service, killed: Kills) -> VictimUnit:
    """A log without times does not tell how old a kill is, and so not whether the service is older."""
    age, up, own = killed.age, service.age_seconds, killed.own_limit(service.name)
    lived = None if age is None or up is None or service.active else max(0.0, up - age)
    return VictimUnit(
        **{name: getattr(service, name) for name in Service.__struct_fields__},
        lost_child=age is not None and service.active and (up or 0.0) > age + START_SECONDS,
        own_limit=own,
        limit_group=killed.limit_group,
        limit_bytes=killed.limit_bytes,
        kills=killed.count,
        lived_seconds=lived,
        died_soon=not service.active and killed.died_soon(lived),
        limit_stands=own and killed.stands(service.memory_max_bytes),
        kill_age_seconds=UNKNOWN_AGE if age is None else age,
    )

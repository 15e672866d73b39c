"""The services that leak, with what a runbook must know of one that it would restart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from memrunbook.core.action.policy import UNLISTED, UnitPolicy
from memrunbook.core.reading.baseline import UNIT_OWN
from memrunbook.core.reading.fact import Doc, EarlierReadings, Reading
from memrunbook.facts.shared.leaks import BY_HISTORY, SOURCE, Leak, MemoryHolder, lacking, leaks_of, untold
from memrunbook.linux.service import UNREAD, Service


class LeakingUnit(Leak, frozen=True, kw_only=True):
    """A leak of a service; whether systemd takes a restart of it, and what its owner says to that."""

    active: Annotated[bool, Doc("it is active", source="ActiveState")] = True
    details_known: Annotated[
        bool, Doc("what systemd says of it could be read; without that it is not restarted", source="systemctl show")
    ] = True
    restartable: Annotated[bool, Doc("systemd can stop and start it", source="CanStop, CanStart")] = False
    restarted_often: Annotated[
        bool, Doc("three automatic restarts and more; false where they are not counted", source="NRestarts (235)")
    ] = False
    cluster_managed: Annotated[bool, Doc("Pacemaker starts and stops it", source="DropInPaths")] = False
    cgroup: Annotated[str, Doc("its control group", source="ControlGroup")] = ""
    policy: UnitPolicy = UNLISTED


LeakingUnits = Annotated[list[LeakingUnit] | None, Doc(BY_HISTORY, source=SOURCE)]


def with_leaking(reading: Any, earlier: EarlierReadings) -> Reading:
    """The reading of services with who of them leaks, or why that cannot be told yet."""
    problem, told = lacking(earlier, ("unit", UNIT_OWN)), reading
    if problem is None:
        told = msgspec.structs.replace(reading, leaking=_leaking(reading.all, earlier), leaks_known=True)
    found: Reading = told if problem is None else untold(reading, problem)
    return found


def _leaking(services: Sequence[Service], earlier: EarlierReadings) -> list[LeakingUnit]:
    by_name = {one.name: one for one in services}
    holders = [
        MemoryHolder(one.name, one.own_bytes, one.invocation_id, one.memory_max_bytes, age=one.age_seconds)
        for one in services
        if one.own_bytes is not None
    ]
    return [_completed(leak, by_name[leak.name]) for leak in leaks_of("unit", UNIT_OWN, holders, earlier)]


def _completed(leak: Leak, service: Service) -> LeakingUnit:
    return LeakingUnit(
        **msgspec.structs.asdict(leak),
        active=service.active,
        details_known=service.state != UNREAD,
        restartable=service.can_start
        and service.can_stop
        and not (service.refuse_manual_stop or service.refuse_manual_start),
        restarted_often=service.restarted_often,
        cluster_managed=service.cluster_managed,
        cgroup=service.cgroup,
    )

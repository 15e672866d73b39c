"""Restarts a running container of docker or podman, so that it gives back what it leaked."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards, systemd
from memrunbook.core.action.action import Action, Blocked, Change, Decision, Repeat, Risk, Verify
from memrunbook.core.action.moved import Moves
from memrunbook.core.action.protect import named_only_unit
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.text import clean
from memrunbook.facts.containers import RUNTIMES, Container

PATIENCE = "30"
"""Seconds that its first process has to end by itself before it is killed."""
SHORTEST_ID = 12
_PLAIN_ID, _PLAIN_TIME = re.compile(r"[0-9a-f]{12,64}"), re.compile(r"[0-9T:.Z+-]{10,40}", re.ASCII)

SCRIPT = """\
act() { # RUNTIME ID STARTED SECONDS: only while it still is in that very run
  container_now=$(child "$1" container inspect --format '{{json .State.Running}} {{json .State.StartedAt}}' "$2")
  if [ "$container_now" != "true \\"$3\\"" ]; then
    printf '%s\\n' "container $2 is gone, stopped or was started again meanwhile" >&2
    return 3
  fi
  child "$1" restart -t "$4" "$2" >/dev/null && return 0
  child "$1" logs --tail 20 "$2" 2>&1
  return 1
}
act "$@"
"""


class RestartContainer(Action, frozen=True, kw_only=True):
    """Restarts one container that no orchestrator, no systemd unit and no `--rm` looks after."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = ("containers", "host", "memory", "units")
    policy: ClassVar[str] = "restart"
    moves: ClassVar[Moves | None] = {"memory.available_bytes": "up", "swap.used_bytes": "down"}
    renews: ClassVar[bool] = True

    container: Annotated[str, Meta(description="its name, its id, or both as facts write it: docker:ID")]

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked unless it runs and its runtime alone starts and stops it."""
        known = guards.known("host.boot_id", "containers.all", "memory.available_bytes")
        blocked = guards.first(snapshot, known, guards.NO_KUBERNETES, guards.AS_ROOT, guards.can_fork)
        if blocked is not None:
            return blocked
        every: list[Container] = snapshot.value("containers.all")
        found = [one for one in every if self._is_meant(one)]
        if len(found) > 1:
            return Blocked(f"{len(found)} containers are called {clean(self.container)}", "name one as docker:ID")
        if not found:
            why = f"no container of docker or podman that was seen here is called {clean(self.container)}"
            return Blocked(why, "`runbook facts containers.all` lists those that were seen")
        return _managed_elsewhere(found[0]) or _unfit(found[0]) or self._change(snapshot, found[0])

    def _is_meant(self, one: Container) -> bool:
        by_id = len(self.container) >= SHORTEST_ID and one.id.startswith(self.container)
        return by_id or self.container in (one.name, f"{one.runtime}:{one.id}")

    def _change(self, snapshot: Snapshot, one: Container) -> Change:
        name, image = clean(one.name), _image_name(one)
        database = named_only_unit(image) or named_only_unit(one.name)
        project = f" of the compose project {clean(one.project)}" if one.project else ""
        again = "" if one.restart_policy != "no" else "; its runtime does not start it again if that fails"
        return self.change(
            summary=f"Restart container {name}{project}",
            target=name,
            command=f"{one.runtime} restart -t {PATIENCE} {name}",
            identity=f"{one.runtime} {one.id} started {one.started} {guards.boot(snapshot)}",
            script=SCRIPT,
            args=(one.runtime, one.id, one.started, PATIENCE),
            risk=Risk.HIGH if database else Risk.MEDIUM,
            costs="clients lose their connections until it is up again; what it holds only in memory, or in a file "
            f"system in memory, is lost{again}",
            verify=Verify(
                f'containers.all.exists(c, c.id == "{one.id}" && c.running && c.pid != {one.pid} && c.restarts == 0)'
                f" && {systemd.NOT_SHORT}",
                within=180.0,
                hold=systemd.HOLD,
            ),
            timeout=180.0,
            touches=image if named_only_unit(image) else one.name,
            settle=2.0,
            acts_on=tuple(f"container:{part}" for part in (one.name, one.id, one.image, image)),
        )


def _image_name(one: Container) -> str:
    """The last part of an image's path, without its tag."""
    return one.image.rpartition("/")[2].partition(":")[0].partition("@")[0]


def _managed_elsewhere(one: Container) -> Blocked | None:
    if one.orchestrator:
        why = f"{clean(one.name)} is run by {one.orchestrator}, which would take this for a failure"
        return Blocked(why, f"act through {one.orchestrator}")
    if one.unit:
        why = f"{clean(one.name)} is started by {clean(one.unit)}"
        return Blocked(why, f"restart_unit acts on {clean(one.unit)}")
    if one.auto_remove:
        return Blocked(f"{clean(one.name)} was made with --rm: it is removed when it stops", "start it anew by hand")
    return None


def _unfit(one: Container) -> Blocked | None:
    if not one.running or one.paused:
        return Blocked(f"{clean(one.name)} is {'paused' if one.paused else 'not running'}", "act by hand")
    if one.runtime in RUNTIMES and _PLAIN_ID.fullmatch(one.id) and _PLAIN_TIME.fullmatch(one.started):
        return None
    return Blocked(f"{clean(one.name)} has an id or a start that cannot be told", "act by hand")

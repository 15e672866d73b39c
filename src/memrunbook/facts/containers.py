"""Containers of docker and podman that hold memory here, as their runtime describes them; asked only where any run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from memrunbook.core.reading.fact import Answer, Command, Doc, Fact, Question, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts.cgroups import CgroupsReading
from memrunbook.facts.processes import Processes
from memrunbook.facts.shared.sampling import Readings

RUNTIMES = ("docker", "podman")
MOST_ASKED = 40
PATIENCE = "10"
"""Seconds: the docker client waits for ever for a daemon that hangs."""
LONGEST = 256
ORCHESTRATORS = {
    "io.kubernetes.pod.name": "kubernetes",
    "com.docker.swarm.service.name": "swarm",
    "com.hashicorp.nomad.alloc_id": "nomad",
    "com.amazonaws.ecs.task-arn": "ecs",
}
PROJECT, UNIT = "com.docker.compose.project", "PODMAN_SYSTEMD_UNIT"
_LABELS = (*ORCHESTRATORS, PROJECT, UNIT)
# Only what is named here leaves the host: the environment of a container holds passwords.
_FIELDS = {
    "id": ".ID",
    "name": ".Name",
    "image": ".Config.Image",
    "running": ".State.Running",
    "paused": ".State.Paused",
    "pid": ".State.Pid",
    "started": ".State.StartedAt",
    "restarts": ".RestartCount",
    "restart_policy": ".HostConfig.RestartPolicy.Name",
    "auto_remove": ".HostConfig.AutoRemove",
}
FORMAT = (
    "{"
    + "".join(f'"{name}":{{{{json {path}}}}},' for name, path in _FIELDS.items())
    + '"labels":['
    + ",".join(f'{{{{json (index .Config.Labels "{label}")}}}}' for label in _LABELS)
    + "]}"
)
_ID = re.compile(r"[0-9a-f]{12,64}")

Count = Annotated[int, Meta(ge=0, le=1 << 53)]


class _Inspected(Struct, frozen=True):
    """One line of `container inspect` in our format."""

    id: str
    name: str
    image: str
    running: bool
    paused: bool
    pid: Count
    started: str
    restarts: Count
    restart_policy: str
    auto_remove: bool
    labels: Annotated[list[str], Meta(min_length=len(_LABELS))]


_INSPECTED = msgspec.json.Decoder(_Inspected)
"""Made when the fact is loaded: what msgspec learns of a type at its first use, several threads may not."""


class Container(Struct, frozen=True, kw_only=True):
    """One container that exists for docker or podman."""

    runtime: Annotated[str, Doc("docker or podman", source="its control group")]
    id: Annotated[str, Doc("its id", source="inspect .ID")]
    name: Annotated[str, Doc("its name, chosen by its owner", source="inspect .Name")]
    image: Annotated[str, Doc("the image that it was made from", source="inspect .Config.Image")]
    running: Annotated[bool, Doc("it runs", source="inspect .State.Running")]
    paused: Annotated[bool, Doc("it is frozen", source="inspect .State.Paused")]
    pid: Annotated[int, Doc("its first process on the host, 0 for none", source="inspect .State.Pid")]
    started: Annotated[str, Doc("when it was started", source="inspect .State.StartedAt")]
    restarts: Annotated[int, Doc("times its runtime had to restart it", Unit.COUNT, "inspect .RestartCount")]
    restart_policy: Annotated[
        str, Doc('"no", always, unless-stopped or on-failure', source="inspect .HostConfig.RestartPolicy.Name")
    ]
    auto_remove: Annotated[bool, Doc("it is removed when it stops", source="inspect .HostConfig.AutoRemove")]
    orchestrator: Annotated[str, Doc('kubernetes, swarm, nomad or ecs, "" for none', source="inspect .Config.Labels")]
    project: Annotated[str, Doc('its compose project, "" for none', source=f"label {PROJECT}")]
    unit: Annotated[str, Doc('the unit of systemd that starts it, "" for none', source=f"label {UNIT}")]


class ContainersReading(Reading, frozen=True, kw_only=True):
    """The containers behind the largest processes and the control groups that matter."""

    all: Annotated[list[Container], Doc(f"at most {MOST_ASKED} a runtime", source="docker, podman container inspect")]


def follow(readings: Readings) -> tuple[Question, ...]:
    """Asks each runtime whose containers were seen for all of them at once."""
    found = {runtime: _seen(readings, runtime) for runtime in RUNTIMES}
    return tuple(
        Command(_key(runtime), ("timeout", PATIENCE, runtime, "container", "inspect", "--format", FORMAT, *ids))
        for runtime, ids in found.items()
        if ids
    )


def parse(samples: Samples, readings: Readings) -> ContainersReading | Unavailable:
    """Reads one line of JSON for each container; one that is gone by now has none."""
    if all(isinstance(readings.get(need), Unavailable) for need in FACT.needs):
        return Unavailable("failed", "neither processes nor control groups could be read")
    asked = [runtime for runtime in RUNTIMES if _seen(readings, runtime)]
    answers = [_described(runtime, samples[-1].get(_key(runtime))) for runtime in asked]
    problems = [answer for answer in answers if isinstance(answer, Unavailable)]
    if problems and len(problems) == len(asked):
        return problems[0]
    return ContainersReading(all=[one for found in answers if not isinstance(found, Unavailable) for one in found])


def _described(runtime: str, answer: Answer) -> list[Container] | Unavailable:
    """None at all were described where the daemon is down or hangs: they are unknown, not gone."""
    if answer.problem:
        return answer.problem
    return list(_read(runtime, answer.text)) or Unavailable("failed", f"{runtime} describes none of its containers")


def _key(runtime: str) -> str:
    return f"containers-{runtime}"


def _seen(readings: Readings, runtime: str) -> list[str]:
    """Ids of the runtime's containers, those of the largest processes first."""
    ids = (name.removeprefix(f"{runtime}:") for name in _names(readings) if name.startswith(f"{runtime}:"))
    return list(dict.fromkeys(one for one in ids if _ID.fullmatch(one)))[:MOST_ASKED]


def _names(readings: Readings) -> Iterable[str]:
    processes, cgroups = readings.get("processes"), readings.get("cgroups")
    if isinstance(processes, Processes):
        yield from (process.container for process in processes.all)
    if isinstance(cgroups, CgroupsReading):
        yield from (group.container for group in cgroups.all)


def _read(runtime: str, text: str) -> Iterator[Container]:
    for line in text.split("\n"):
        try:
            seen = _INSPECTED.decode(line)
        except (msgspec.DecodeError, UnicodeEncodeError):
            continue
        labels = dict(zip(_LABELS, seen.labels, strict=False))
        yield Container(
            runtime=runtime,
            id=seen.id[:LONGEST],
            name=seen.name.removeprefix("/")[:LONGEST],
            image=seen.image[:LONGEST],
            running=seen.running,
            paused=seen.paused,
            pid=seen.pid,
            started=seen.started[:LONGEST],
            restarts=seen.restarts,
            restart_policy=seen.restart_policy[:LONGEST] or "no",
            auto_remove=seen.auto_remove,
            orchestrator=next((word for label, word in ORCHESTRATORS.items() if labels[label]), ""),
            project=labels[PROJECT][:LONGEST],
            unit=labels[UNIT][:LONGEST],
        )


FACT = Fact(
    reading=ContainersReading,
    parse=parse,
    asks=(),
    needs=("cgroups", "processes"),
    meaning="containers of docker and podman",
    follow=follow,
)

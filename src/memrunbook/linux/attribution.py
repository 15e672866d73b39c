"""Whose process it is: from a process's control group to its unit, container or virtual machine."""

from __future__ import annotations

import re
from typing import NamedTuple

DELETED = " (deleted)"
SHORT_ID = 12
"""Digits of a container's id that people and `docker ps` use."""
_UNITS = frozenset({"service", "scope", "socket", "mount", "swap"})
_SCOPED = re.compile(r"(docker|libpod(?:-payload)?|crio|cri-containerd)-([0-9a-f]{12,64})(?:\.scope)?")
_BARE_ID = re.compile(r"[0-9a-f]{12,64}")
POD = re.compile(r"pod([0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12})")
_ALLOCATABLE = re.compile(r"(?:[\w.-]*-)?kubepods(?:\.slice)?")
_QUALITY = re.compile(r"(?:[\w.-]*kubepods-)?(?:burstable|besteffort)(?:\.slice)?")
_RUNTIMES = {"docker": "docker", "libpod": "podman", "libpod-payload": "podman"}
_CONTAINED = ("docker", "libpod", "crio-", "cri-containerd-", "kubepods", "lxc", "machine.slice")
_GUESTS = frozenset({"lxc", "machine"})
_SUFFIXES = frozenset({"service", "scope", "slice"})
_ESCAPED = re.compile(r"(?:\\x[0-9a-f]{2})+")
_USER_MANAGER = re.compile(r"user@\d+\.service")


class Groups(NamedTuple):
    """The control groups of a process: the one that its memory counts in, and the one that its init system made."""

    memory: str
    unit: str


class Owner(NamedTuple):
    """The unit of this host's init system, raw as `systemctl` takes it, and the container; empty for none."""

    unit: str
    container: str


NOBODY = Owner("", "")


def groups_of(text: str) -> Groups:
    """Reads /proc/PID/cgroup (`hierarchy:controllers:path`; a path may hold colons, blanks and commas)."""
    paths: dict[str, str] = {}
    for line in text.split("\n"):
        hierarchy, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon and hierarchy.isdecimal():
            for controller in controllers.split(","):
                paths.setdefault(controller, path.removesuffix(DELETED))
    unified = paths.get("", "")
    memory = paths.get("memory", unified)
    named = paths.get("name=systemd", "")
    return Groups(memory, next((path for path in (named, unified, memory) if path.strip("/")), memory))


def owner_of(path: str) -> Owner:
    """The owner of a control group by its path, from the root down to the first container or guest.

    What runs inside a container, a guest or a user's own manager is not ours to restart: its units are not named.
    A path that leaves the namespace (`/../`) says nothing.
    """
    parts = path.removesuffix(DELETED).split("/")[1:]
    if not path.startswith("/") or ".." in parts:
        return NOBODY
    unit = ""
    for place, part in enumerate(parts):
        container = _container(part, parts[place + 1 :]) if part.startswith(_CONTAINED) else ""
        name, _, suffix = part.rpartition(".")
        if name and suffix in _UNITS:
            unit = part
        if container:
            return Owner(unit, container)
        if part.startswith("user@") and _USER_MANAGER.fullmatch(part):
            break
    return Owner(unit, "")


def is_user_manager(unit: str) -> bool:
    """True for the manager of one user's own units, in which all that the user runs lives."""
    return _USER_MANAGER.fullmatch(unit) is not None


def _container(part: str, below: list[str]) -> str:
    scoped = _SCOPED.fullmatch(part)
    child = below[0] if below else ""
    if part.startswith("kubepods"):
        pod = POD.search("/".join(below))
        return f"kubernetes:{pod[1].replace('_', '-')}" if pod else "kubernetes:"
    if scoped:
        return f"{_RUNTIMES.get(scoped[1], 'cri')}:{scoped[2]}"
    if part == "docker" and _BARE_ID.fullmatch(child):
        return f"docker:{child}"
    if part == "lxc" and child:
        return f"lxc:{child}"
    if part.startswith("lxc.payload."):
        return f"lxc:{part.removeprefix('lxc.payload.')}"
    guest = part == "machine.slice" and child and not _SCOPED.fullmatch(child)
    return f"machine:{child}" if guest else ""


def kind_of(path: str, owner: Owner | None = None) -> str:
    """What a control group itself is: service, scope, slice, container, pod, guest (virtual machine, LXC) or other.

    A group inside a container or a guest is `other`. `owner` is its owner, where that is known already.
    """
    parent, _, name = path.removesuffix(DELETED).rpartition("/")
    container = (owner or owner_of(path)).container
    runtime, _, identifier = container.partition(":")
    if runtime == "kubernetes":
        return _kind_below_kubepods(parent, name, in_pod=bool(identifier))
    if not identifier:
        suffix = name.rpartition(".")[2]
        return suffix if suffix in _SUFFIXES else "other"
    if owner_of(parent).container == container:
        return "other"
    return "guest" if runtime in _GUESTS else "container"


def _kind_below_kubepods(parent: str, name: str, *, in_pod: bool) -> str:
    """Slices by quality of service, in them pods, in those containers, in those what they please."""
    if POD.search(name):
        return "pod"
    if not in_pod:
        return "slice"
    return "container" if POD.search(parent.rpartition("/")[2]) else "other"


def shown_name(path: str) -> str:
    r"""The last part of a control group's path as people write it: systemd says `my\x2dapp` for `my-app`."""
    name = path.removesuffix(DELETED).rpartition("/")[2]
    return _ESCAPED.sub(lambda match: bytes.fromhex(match[0].replace("\\x", "")).decode(errors="replace"), name)


def limit_owner(limited: str, victim: str = "") -> str:
    """Whose limit a control group's is: own pod container ancestor slice node-allocatable quality-of-service.

    `limited` is the group that reached it, `victim` that of the process that died. What is called own is the victim's
    own unit or group; an ancestor's limit is shared by all that is below it.
    """
    path = limited.removesuffix(DELETED).rstrip("/")
    name = path.rpartition("/")[2]
    if _ALLOCATABLE.fullmatch(name):
        return "node-allocatable"
    if _QUALITY.fullmatch(name) and "kubepods" in path:
        return "quality-of-service"
    kind = kind_of(path) if path.startswith("/") else "other"
    if kind in ("pod", "container"):
        return kind
    if kind == "slice" or name.endswith(".slice"):
        return "slice"
    return "ancestor" if victim.removesuffix(DELETED).rstrip("/").startswith(f"{path}/") and kind != "guest" else "own"


def is_guaranteed(path: str) -> bool:
    """Whether a pod is of the best quality of service: its group stands beside those of the others, not in them."""
    return "kubepods" in path and not any(word in path for word in ("burstable", "besteffort"))

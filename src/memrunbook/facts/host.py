"""The host itself: kernel, identity, page size, container, roles, and who else looks after its memory."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Annotated, Any

from msgspec import field

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Walk
from memrunbook.core.text import clean
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers, roles
from memrunbook.facts.shared.sampling import Readings, latest
from memrunbook.linux import switch
from memrunbook.linux.attribution import groups_of, owner_of

WALK = "host"
STATUS = "/proc/self/status"
STATM = "/proc/self/statm"
MACHINE_ID = "/etc/machine-id"
CPUS = "/sys/devices/system/cpu/online"
CONTAINER = "/run/systemd/container"
INIT_CGROUP = "/proc/1/cgroup"
OWN_CGROUP = "/proc/self/cgroup"

PAGE_SIZES = (4096, 16384, 65536)
MOST_ANCESTORS = 32
CONTAINERS = {
    "/var/run/secrets/kubernetes.io": "kubernetes",
    "/.dockerenv": "docker",
    "/run/.containerenv": "podman",
    "/dev/lxd/sock": "lxc",
    "/dev/incus/sock": "lxc",
    "/dev/.lxc": "lxc",
}
IN_CGROUP = {"kubepods": "kubernetes", "docker": "docker", "libpod": "podman", "lxc": "lxc", "containerd": "containerd"}
OTHERS = (
    "/run/systemd/system", "/proc/vz", "/proc/bc",
    "/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/systemd",
    "/lib/systemd/libsystemd-shared-*.so", "/usr/lib/systemd/libsystemd-shared-*.so",
    "/usr/lib64/systemd/libsystemd-shared-*.so", "/usr/lib/*/systemd/libsystemd-shared-*.so",
)  # fmt: skip
MARKERS = (*CONTAINERS, *OTHERS, *(path for paths in roles.PATHS.values() for path in paths))

# Text sysctls go on where the last read ended, so built-ins may read them; only numbers come out cut.
# The shell's own ancestors are looked for once: it lives as long as they do, and each of them costs the host most here.
SCRIPT = f"""\
own=self
count=0
[ -z "${{host_own-}}" ] || own=0
while [ "$own" != 0 ] && [ "$count" -lt {MOST_ANCESTORS} ]; do
  IFS= read -r line <"/proc/$own/stat" || break
  host_own="${{host_own-}} ${{line%% *}}"
  line=${{line##*) ? }}
  own=${{line%% *}}
  case $own in '' | *[!0-9]*) break ;; esac
  count=$((count + 1))
done
for own in $host_own; do printf 'own %s\\n' "$own"; done
for name in osrelease hostname random/boot_id; do
  [ -r "/proc/sys/kernel/$name" ] || continue
  IFS= read -r line <"/proc/sys/kernel/$name"
  printf '%s %s\\n' "${{name##*/}}" "$line"
done
[ -r /proc/1/status ] || printf 'hidden /proc/1\\n'
for path in {" ".join(switch.FILES)}; do
  [ -e "$path" ] || [ -L "$path" ] || continue
  line=
  [ ! -f "$path" ] || IFS= read -r line <"$path"
  printf 'off %s says: %s\\n' "$path" "${{line:-nothing}}"
done
for path in {" ".join(MARKERS)}; do
  [ -e "$path" ] && printf 'path %s\\n' "$path"
done
for path in /sys/fs/cgroup/system.slice /sys/fs/cgroup/systemd/system.slice; do
  for path in "$path" "$path"/system-*.slice; do
    cd "$path" || continue
    set -- *.service
    [ -d "$1" ] && printf 'unit %s\\n' "$@"
  done
done"""


class HostReading(Reading, frozen=True, kw_only=True):
    """Who this host is and what it is used for."""

    kernel: Annotated[str | None, Doc("kernel release", source="/proc/sys/kernel/osrelease")] = None
    hostname: Annotated[str | None, Doc("name of the host", source="/proc/sys/kernel/hostname")] = None
    uptime_seconds: Annotated[float, Doc("time since boot", Unit.SECONDS, "/proc/uptime")]
    page_size_bytes: Annotated[int | None, Doc("size of a page", Unit.BYTES, f"VmSize of {STATUS} by {STATM}")] = None
    machine_id: Annotated[str | None, Doc("SHA-256 of the machine-id, first 32 hex digits", source=MACHINE_ID)] = None
    boot_id: Annotated[str | None, Doc("id of this boot", source="/proc/sys/kernel/random/boot_id")] = None
    cpus: Annotated[int | None, Doc("CPUs online", Unit.COUNT, CPUS)] = None
    container: Annotated[
        bool | None, Doc("our shell is inside a container: kernel parameters are the host's", source="marker files")
    ] = None
    container_kind: Annotated[
        str | None, Doc('docker, podman, lxc, ..., "" when it is none', source=f"marker files, {INIT_CGROUP}")
    ] = None
    kubernetes: Annotated[bool | None, Doc("a Kubernetes node", source="active services, cgroups")] = None
    hypervisor: Annotated[bool | None, Doc("runs virtual machines", source="active services, cgroups")] = None
    database: Annotated[bool | None, Doc("runs a database", source="active services, sockets")] = None
    cluster_managed: Annotated[
        bool | None, Doc("a cluster manager starts and stops services here", source="active services, pid files")
    ] = None
    quorum: Annotated[
        bool | None, Doc("votes in a quorum, cluster managers apart: etcd, ZooKeeper, Ceph", source="active services")
    ] = None
    systemd: Annotated[bool | None, Doc("systemd runs this host", source="/run/systemd/system")] = None
    systemd_version: Annotated[
        int | None, Doc("version of systemd that is installed (231+)", source="libsystemd-shared-VERSION.so")
    ] = None
    cgroup_version: Annotated[
        int | None, Doc("cgroups that hold memory: 2, 1, or 0 for none", source="/sys/fs/cgroup")
    ] = None
    remediators: Annotated[
        list[str] | None, Doc(f"active among {', '.join(roles.REMEDIATORS)}", source="active services")
    ] = None
    tags: Annotated[list[str], Doc('what its operator says of it, as in "realtime"', source="--tag")] = field(
        default_factory=list
    )
    switched_off: Annotated[
        str | None, Doc('what stops every change here, "" for nothing', source=", ".join(switch.FILES))
    ] = None
    root: Annotated[bool | None, Doc("our shell is uid 0", source=STATUS)] = None
    uid: Annotated[int | None, Doc("effective uid of our shell", source=STATUS)] = None
    own_unit: Annotated[str | None, Doc('unit that our own session runs in, "" for none', source=OWN_CGROUP)] = None
    own_pids: Annotated[list[int] | None, Doc("our shell and the processes above it", source="/proc/PID/stat")] = None
    hidepid: Annotated[
        bool | None, Doc("other users' processes are hidden from our shell", source="/proc/1/status")
    ] = None


WALKED = (
    "kernel", "hostname", "boot_id", "container", "container_kind", *roles.UNITS,
    "systemd", "systemd_version", "cgroup_version", "remediators", "own_pids", "hidepid", "switched_off",
)  # fmt: skip
FIELDS = {
    WALK: WALKED,
    MACHINE_ID: ("machine_id",),
    CPUS: ("cpus",),
    STATUS: ("uid", "root", "page_size_bytes"),
    STATM: ("page_size_bytes",),
    OWN_CGROUP: ("own_unit",),
}


def page_size(readings: Readings) -> int | None:
    """The host's page size in bytes, None where it is unknown (it is never taken for 4096)."""
    host = readings.get("host")
    return host.page_size_bytes if isinstance(host, HostReading) else None


def parse(samples: Samples, _readings: Readings) -> HostReading:
    """Reads what could be had; a field whose file could not be read says why."""
    answers = {key: latest(samples, key) for key in (*FIELDS, CONTAINER, INIT_CGROUP)}
    text = {key: answer.text for key, answer in answers.items()}
    gaps = {field: a.problem for key, a in answers.items() if a.problem for field in FIELDS.get(key, ())}
    uid = _uid(text[STATUS])
    return HostReading(
        uptime_seconds=samples[-1].after,
        page_size_bytes=_page_size(text[STATUS], text[STATM]),
        machine_id=_fingerprint(text[MACHINE_ID].strip()),
        cpus=_cpus(text[CPUS]),
        uid=uid,
        root=None if uid is None else uid == 0,
        own_unit=None if answers[OWN_CGROUP].problem else owner_of(groups_of(text[OWN_CGROUP]).unit).unit,
        unavailable=gaps,
        **({} if answers[WALK].problem else _walked(text[WALK], text[CONTAINER], text[INIT_CGROUP])),
    )


def _walked(walk: str, container: str, init_cgroup: str) -> dict[str, Any]:
    said: dict[str, list[str]] = {}
    for line in walk.split("\n"):
        word, _, rest = line.partition(" ")
        said.setdefault(word, []).append(rest)
    paths, units = said.get("path", []), said.get("unit", [])
    kind = _container_kind(paths, container.strip(), init_cgroup)
    return {
        "kernel": said.get("osrelease", [None])[0],
        "hostname": said.get("hostname", [None])[0],
        "boot_id": said.get("boot_id", [None])[0],
        "container": kind != "",
        "container_kind": kind,
        "systemd": "/run/systemd/system" in paths,
        "systemd_version": _systemd_version(paths),
        "cgroup_version": _cgroup_version(paths),
        "remediators": roles.remediators(units),
        "own_pids": [pid for text in said.get("own", []) if (pid := numbers.whole(text)) is not None] or None,
        "hidepid": "hidden" in said,
        "switched_off": clean(next(iter(said.get("off", [])), "")),
        **{role: roles.plays(role, units, paths) for role in roles.UNITS},
    }


def _container_kind(paths: list[str], named: str, init_cgroup: str) -> str:
    marked = [kind for path, kind in CONTAINERS.items() if path in paths]
    in_cgroup = [kind for word, kind in IN_CGROUP.items() if word in init_cgroup]
    openvz = ["openvz"] if "/proc/vz" in paths and "/proc/bc" not in paths else []
    return next(iter([*marked, *filter(None, [named]), *in_cgroup, *openvz]), "")


def _systemd_version(paths: list[str]) -> int | None:
    versions = [re.search(r"/libsystemd-shared-(\d{1,6})\D", path, re.ASCII) for path in paths]
    return max((int(match[1]) for match in versions if match), default=None)


def _cgroup_version(paths: list[str]) -> int:
    if "/sys/fs/cgroup/cgroup.controllers" in paths:
        return 2
    return 1 if "/sys/fs/cgroup/memory" in paths or "/sys/fs/cgroup/systemd" in paths else 0


def _fingerprint(machine_id: str) -> str | None:
    return hashlib.sha256(machine_id.encode(errors="replace")).hexdigest()[:32] if machine_id else None


def _cpus(online: str) -> int | None:
    ranges = re.findall(r"(\d{1,6})(?:-(\d{1,6}))?", online, re.ASCII)
    return sum(max(int(last or first) - int(first) + 1, 0) for first, last in ranges) or None


def _uid(status: str) -> int | None:
    match = re.search(r"^Uid:\s+\d+\s+(\d{1,10})\s", status, re.MULTILINE | re.ASCII)
    return int(match[1]) if match else None


def _page_size(status: str, statm: str) -> int | None:
    """VmSize is statm's first field in KiB, VmRSS its second; both move a little between the two reads."""
    pages = [numbers.whole(word) for word in statm.split()[:2]]
    in_bytes = numbers.lines_by_key(status)
    for size, count in zip((in_bytes.get("VmSize"), in_bytes.get("VmRSS")), pages, strict=False):
        if size and count:
            return min(PAGE_SIZES, key=lambda known: abs(math.log(size / count / known)))
    return None


FACT = Fact(
    reading=HostReading,
    parse=parse,
    asks=(
        Walk(WALK, SCRIPT),
        Read(STATUS),
        Read(STATM, lines=1),
        Read(MACHINE_ID, lines=1),
        Read(CPUS, lines=1),
        Read(CONTAINER, lines=1),
        Read(INIT_CGROUP, lines=20),
        Read(OWN_CGROUP, lines=20),
    ),
    meaning="kernel, identity, page size, container and roles of the host",
)

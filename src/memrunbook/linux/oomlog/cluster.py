"""Killers of cluster nodes: Talos's OOM controller, the kubelet's evictions, and what container runtimes say."""

from __future__ import annotations

import re

from memrunbook.linux.attribution import SHORT_ID
from memrunbook.linux.oomlog.event import LogEvent, LogNote
from memrunbook.linux.oomlog.frame import LogLine
from memrunbook.linux.oomlog.killers import NOT_KILLED, Told, Undone

TALOS, KUBELET = "talos", "kubelet"
EVICTION, EVICTED, CONTAINER, SYSTEM = "eviction", "evicted", "container", "system-oom"
MEMORY = "memory"
MOUNT = "/sys/fs/cgroup"
_SIGKILL = re.compile(r"[Ss]ending SIGKILL to cgroup\b.*?\bcgroup\"?[:=] ?\"?([^\"\s,}]+)")
_TALOS_FAILED = "failed to send SIGKILL", "cannot reap cgroup"
_EVICTED = re.compile(
    r"viction manager: pod (?:is evicted successfully\" pod=\"([^\"]+)\"|(\S+) is evicted successfully)"
)
_RECLAIM = re.compile(
    r"viction manager: (?:attempting to reclaim|must evict pod\(s\) to reclaim)(?:\" resourceName=\"?|\s+)([\w.-]+)"
)
_NOT_EVICTED = re.compile(
    r"viction manager: (unable to evict any pods from the node|cannot evict a critical (?:static )?pod"
    r"|pod failed to evict|eviction thresholds have been met, but no pods are active to evict)"
    r"(?:\"? (?:pod=)?\"?([^\"\s]+))?"
    r"|viction manager: pod (\S+) (failed to evict)"
)
LOW = "node was low on resource: memory"
_LOW = re.compile(rf"(?:\bpod/(\S+) .*?)?{LOW}\b")
_OLD_POD = re.compile(r"([^_\s]+)_([^_(\s]+)\([0-9a-f-]{8,40}\)$")
_OOM_OF_CONTAINER = re.compile(
    r"TaskOOM event (?:container_id:\\?\"|&TaskOOM\{ContainerID:)([0-9a-f]{12,64})|container oom ([0-9a-f]{12,64})"
    r"|conmon\S* ([0-9a-f]{12,64}) <[^>]+>: OOM (?:event )?received"
)
_STATUS = re.compile(  # of pods, containers and tasks: kubectl, docker inspect, ECS
    r"\b[Rr]eason\"?: *\"?OOMKilled\b|\"OOMKilled\": ?true\b|OutOfMemoryError: Container killed due to memory usage"
)
_SYSTEM_OOM = re.compile(
    r"System OOM encountered, victim process: (.{0,64}?), pid: (\d{1,10})"
    r"|Got sys oom event\W.*\bPid\W+(\d{1,10})\W+ProcessName\W+([^\"}\s]{1,64})"
)


def read_talos(line: LogLine) -> Told:
    """A control group that Talos's controller killed, or that it found none to kill."""
    if "no eligible cgroup to kill" in line.text:
        why = "it found no control group that it may kill: all of them have limits or are the system's"
        return LogNote(NOT_KILLED, line.stamp, line.date, TALOS, detail=why)
    if any(words in line.text for words in _TALOS_FAILED) and "cgroup" in line.text:
        return Undone(TALOS)
    found = _SIGKILL.search(line.text)
    if found is None:
        return None
    path = "/" + found[1].removeprefix(MOUNT).lstrip("/.…")
    return LogEvent(line.stamp, TALOS, task_memcg=path, reason="memory pressure of the node", date=line.date)


def read_kubelet(line: LogLine) -> Told:
    """A pod that was evicted, or the resource that the node was short of: only memory is ours, not disks."""
    evicted = _EVICTED.search(line.text)
    if evicted:
        return LogEvent(line.stamp, KUBELET, unit=f"pod {_pod(evicted[1] or evicted[2])}", date=line.date)
    low = _LOW.search(line.text)
    if low:
        unit = f"pod {low[1]}" if low[1] else ""
        return LogEvent(
            line.stamp, KUBELET, unit=unit, reason=line.text[line.text.index(LOW) :].strip(), date=line.date
        )
    reclaim = _RECLAIM.search(line.text)
    if reclaim:
        return LogNote(EVICTION, line.stamp, line.date, reclaim[1].strip("'\""))
    refused = _NOT_EVICTED.search(line.text)
    if refused is None:
        return None
    why, pod = refused[1] or refused[4], refused[2] or refused[3]
    return LogNote(NOT_KILLED, line.stamp, line.date, KUBELET, detail=f"{why}{f': {_pod(pod)}' if pod else ''}")


def read_runtime(line: LogLine) -> LogNote | None:
    """A container runtime or Docker says that a container was out of memory: its limit, by the kernel's own kill."""
    found = _OOM_OF_CONTAINER.search(line.text)
    if found:
        return LogNote(CONTAINER, line.stamp, line.date, next(filter(None, found.groups()))[:SHORT_ID])
    return LogNote(CONTAINER, line.stamp, line.date, "a container") if _STATUS.search(line.text) else None


def read_system(line: LogLine) -> LogNote | None:
    """The kubelet says that the kernel killed a process for want of memory of the whole node."""
    found = _SYSTEM_OOM.search(line.text)
    if found is None:
        return None
    pid = int(found[2] or found[3])
    return LogNote(SYSTEM, line.stamp, line.date, f"{found[1] or found[4] or 'a process'}, pid {pid}", value=pid)


def _pod(text: str) -> str:
    """`namespace/name`; old kubelets print `name_namespace(uid)`."""
    old = _OLD_POD.match(text)
    return f"{old[2]}/{old[1]}" if old else text

"""The names of pods: the kernel knows their ids only, lines of the kubelet and of container runtimes know both."""

from __future__ import annotations

import re
from typing import NamedTuple

from memrunbook.linux.oomlog.frame import LogLine

UID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_NAMED = re.compile(r"""\bpod="?([a-z0-9.-]{1,63}/[a-z0-9.-]{1,253})"?(?=[ ,;]|$)""")
_UID = re.compile(rf"""\bpodU(?:ID|id)="?{UID}""")
_OLD = re.compile(rf"\b([a-z0-9.-]{{1,253}})_([a-z0-9-]{{1,63}})\({UID}\)")
_SANDBOX = re.compile(rf"PodSandboxMetadata\{{Name:([a-z0-9.-]{{1,253}}),Uid:{UID},Namespace:([a-z0-9-]{{1,63}}),")


class PodName(NamedTuple):
    """A pod by its id, and as people call it: namespace/name."""

    uid: str
    name: str


def pod(line: LogLine) -> PodName | None:
    """The pod that a line names by both."""
    named, uid = _NAMED.search(line.text), _UID.search(line.text)
    if named and uid:
        return PodName(uid[1], named[1])
    old = _OLD.search(line.text)
    if old:
        return PodName(old[3], f"{old[2]}/{old[1]}")
    sandbox = _SANDBOX.search(line.text)
    return PodName(sandbox[2], f"{sandbox[3]}/{sandbox[1]}") if sandbox else None

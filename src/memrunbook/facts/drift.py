"""Which kernel parameters of memory are not what the host's own files say: changed by hand, or not applied yet."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Reading, Samples, Unavailable
from memrunbook.facts.holds import Holds
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Readings
from memrunbook.facts.sysctl import SysctlReading
from memrunbook.facts.sysctl_files import LAST, SysctlFilesReading, SysctlSetting

SOURCE = "/proc/sys/vm and sysctl.d(5)"
EITHER_OR = (
    ("vm.dirty_ratio", "vm.dirty_bytes"),
    ("vm.dirty_background_ratio", "vm.dirty_background_bytes"),
    ("vm.overcommit_ratio", "vm.overcommit_kbytes"),
)
"""Of each pair what is written last counts; the kernel sets the other to 0 (mm/page-writeback.c, mm/util.c)."""


class DriftedParameter(Struct, frozen=True, kw_only=True):
    """A parameter whose running value is not the one that a file sets."""

    name: Annotated[str, Doc("the parameter", source=SOURCE)]
    running: Annotated[int, Doc("what the kernel runs with", source="/proc/sys/vm")]
    configured: Annotated[int, Doc("what counts in the files", source="sysctl.d(5)")]
    path: Annotated[str, Doc("the file that says so", source="sysctl.d(5)")]


class DriftReading(Reading, frozen=True, kw_only=True):
    """What will be otherwise after the next boot, but for what a run of ours changed for a while."""

    parameters: Annotated[
        list[DriftedParameter] | None, Doc("parameters that run otherwise than the host's files say", source=SOURCE)
    ] = None


def parse(_samples: Samples, readings: Readings) -> DriftReading | Unavailable:
    """Compares what runs with what the files say; what a run holds for a while has not drifted."""
    running, files = readings.get("sysctl"), readings.get("sysctl_files")
    if not isinstance(running, SysctlReading):
        return running if isinstance(running, Unavailable) else Unavailable("failed", "sysctl was not read")
    if not isinstance(files, SysctlFilesReading) or files.files is None:
        return _unread(files)
    held, found = _held(readings.get("holds")), []
    for key, settings in _by_key(files.files).items():
        value = _running(running, key)
        if value is None or key in held or any(value == wanted for wanted, _ in settings):
            continue
        wanted, path = settings[0]
        found.append(DriftedParameter(name=key, running=value, configured=wanted, path=path))
    return DriftReading(parameters=sorted(found, key=lambda one: one.name))


def _unread(files: object) -> DriftReading | Unavailable:
    if isinstance(files, SysctlFilesReading):
        return DriftReading(unavailable={"parameters": files.unavailable["files"]})
    return files if isinstance(files, Unavailable) else Unavailable("failed", "sysctl_files was not read")


def _by_key(settings: list[SysctlSetting]) -> dict[str, list[tuple[int, str]]]:
    """Values that a parameter may have by its files, each with the file; two where /etc/sysctl.conf contradicts.

    That file is read by `sysctl --system` and not by systemd: which of them set the parameters is not told.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for read in ([one for one in settings if one.path != LAST], settings):
        for key, (value, path) in _counting(read).items():
            values = found.setdefault(key, [])
            if value not in [known for known, _ in values]:
                values.insert(0, (value, path))
    return found


def _counting(settings: list[SysctlSetting]) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for one in settings:
        value = numbers.whole(one.value)
        if value is None:
            found.pop(one.key, None)
            continue
        for other in (*(a for a, b in EITHER_OR if b == one.key), *(b for a, b in EITHER_OR if a == one.key)):
            if value:
                found.pop(other, None)
        found[one.key] = (value, one.path)
    return found


def _running(sysctl: SysctlReading, key: str) -> int | None:
    value: Any = getattr(sysctl.vm, key.removeprefix("vm."), None)
    return value if isinstance(value, int) else None


def _held(holds: Reading | Unavailable | None) -> frozenset[str]:
    return frozenset(hold.name for hold in holds.all) if isinstance(holds, Holds) else frozenset()


FACT = Fact(
    reading=DriftReading,
    parse=parse,
    asks=(),
    needs=("sysctl", "sysctl_files", "holds"),
    meaning="kernel parameters that run otherwise than files say",
)

"""What the files below sysctl.d set at the next boot, in the order in which they are applied."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Reading, Sample, Samples, Unavailable, Whole
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Readings

FOLDERS = ("/etc/sysctl.d/", "/run/sysctl.d/", "/usr/local/lib/sysctl.d/", "/usr/lib/sysctl.d/")
"""Of two files with one name, that of the earlier folder counts (sysctl.d(5))."""
LAST = "/etc/sysctl.conf"
"""Read last by `sysctl --system`; systemd reads it only where /etc/sysctl.d/99-sysctl.conf points to it."""
ALWAYS_THERE = "/proc/sys/vm/swappiness"
"""A file without a line and an awk that never ran look alike: this one is never empty."""
HUGE_PAGES = "vm.nr_hugepages"
_SETTING = re.compile(r"^[ \t]*-?[ \t]*(vm[./][\w./-]+)[ \t]*=[ \t]*(.*?)[ \t\r]*$", re.MULTILINE | re.ASCII)


class SysctlSetting(Struct, frozen=True, kw_only=True):
    """One line of a file."""

    path: Annotated[str, Doc("the file", source="sysctl.d(5)")]
    key: Annotated[str, Doc("the parameter, always with dots and _", source="sysctl.d(5)")]
    value: Annotated[str, Doc("its value, as written", source="sysctl.d(5)")]


class SysctlFilesReading(Reading, frozen=True, kw_only=True):
    """The `vm` parameters that files set; the last setting of a parameter counts."""

    files: Annotated[
        list[SysctlSetting] | None,
        Doc("settings of vm parameters, the one that counts last", source="sysctl.d, sysctl.conf"),
    ] = None
    nr_hugepages: Annotated[
        int | None, Doc("huge pages of the default size that they ask for", Unit.COUNT, HUGE_PAGES)
    ] = None


def parse(samples: Samples, _readings: Readings) -> SysctlFilesReading | Unavailable:
    """Reads what the shared awk printed; where one file may not be read, what counts in the end is unknown."""
    sample = samples[0]
    ran = sample.get(ALWAYS_THERE)
    if ran.problem:
        return ran.problem
    found = {path: sample.get(path) for path in _files(sample)}
    problem = next((answer.problem for answer in found.values() if answer.problem), None)
    if problem:
        return SysctlFilesReading(unavailable=dict.fromkeys(("files", "nr_hugepages"), problem))
    files = [one for path, answer in found.items() for one in _settings(path, answer.text)]
    pages = [one.value for one in files if one.key == HUGE_PAGES]
    return SysctlFilesReading(files=files, nr_hugepages=numbers.whole(pages[-1]) if pages else 0)


def _files(sample: Sample) -> list[str]:
    """The files in the order in which they are applied; one that is missing or hidden by another is left out."""
    by_name: dict[str, str] = {}
    for folder in FOLDERS:
        for path in sample.matching(folder, ".conf"):
            by_name.setdefault(path.rpartition("/")[2], path)
    last = sample.answers.get(LAST)
    there = last is not None and (last.problem is None or last.problem.reason != "absent")
    return [by_name[name] for name in sorted(by_name)] + [LAST] * there


def _settings(path: str, text: str) -> list[SysctlSetting]:
    return [
        SysctlSetting(path=path, key=key.replace("/", ".").replace("-", "_"), value=value)
        for key, value in _SETTING.findall(text)
    ]


FACT = Fact(
    reading=SysctlFilesReading,
    parse=parse,
    asks=(Whole(ALWAYS_THERE), Whole(LAST), *(Whole(f"{folder}*.conf") for folder in FOLDERS)),
    meaning="kernel parameters that files set at boot",
)

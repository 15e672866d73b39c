"""Masks what a host answered, question by question; an answer of which nobody said what stands in it is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from msgspec import structs

from memrunbook.core.reading.fact import NOT_ASKED, Answer, Sample, Unavailable
from memrunbook.facts.failed_units import NAME as FAILED_UNITS
from memrunbook.facts.host import MARKERS
from memrunbook.facts.shared.process_told import DETAIL, WALK
from memrunbook.linux.hold import MARKS
from memrunbook.linux.switch import FILES
from memrunbook.linux.systemctl import failed_in
from memrunbook.runtime.masked_log import masked_log
from memrunbook.runtime.masking import Masks, masked_lines

Masking = Callable[[str, Masks], str]
LEFT_OUT = "left out, as its names cannot be masked"
_CGROUPS = "/sys/fs/cgroup"
_SETTING = re.compile(r"[ \t]*-?[ \t]*[a-z0-9_]+(?:[./][\w./*-]+)+[ \t]*=[ \t]*[\d \t.-]*", re.ASCII)
_MAPPED = re.compile(r"([0-9a-f]+-[0-9a-f]+ \S{4} [0-9a-f]+ \S+ \d+ +)(.*)", re.ASCII)
_COUNTED = re.compile(r" *\d+ (?:total|/proc/\d+/maps)", re.ASCII)
_STATFS = re.compile(r"(\d+ \d+ \d+ )(/.*)", re.ASCII)
_SWAP = re.compile(r"(/\S*)(\s.*)")
_NAMED_BY_DIGITS = re.compile(r"(?:Key|SYSV)[0-9a-f]+|SYSV[0-9a-f]{8}", re.ASCII)
_REFUSED = re.compile(
    r"Failed to (?:connect to (?:system scope )?bus(?: via local transport)?|list units|get properties): "
    r"[A-Z][a-z]+(?: [a-z]+){0,5}|System has not been booted with systemd.*|Access denied",
    re.ASCII,
)
UNITS_OF = frozenset({"Id", "RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf"})
WORDS = frozenset({
    "ActiveState", "SubState", "Result", "Type", "MainPID", "NRestarts", "MemoryCurrent", "MemoryHigh", "MemoryMax",
    "MemorySwapMax", "ActiveEnterTimestampMonotonic", "OOMPolicy", "Restart", "WatchdogUSec", "CanStart", "CanStop",
    "CanFreeze", "RefuseManualStop", "RefuseManualStart", "NeedDaemonReload", "FreezerState", "TimeoutStartUSec",
    "TimeoutStopUSec", "StartLimitBurst",
})  # fmt: skip


def masked(sample: Sample, masks: Masks, called: str) -> Sample:
    """The sample with other names for all that somebody named; its host is then `called` so."""
    answers = {}
    for key, answer in sample.answers.items():
        how = _how(key, called)
        name = _key(key, masks)
        if answer.problem is not None:
            answers[name] = Answer(problem=structs.replace(answer.problem, why=name))
        elif how is None:
            answers[name] = Answer(problem=Unavailable("failed", LEFT_OUT))
        else:
            answers[name] = Answer(how(answer.text, masks))
    return structs.replace(sample, answers=answers)


def maskable(key: str) -> bool:
    """True where it is known what stands in the answer to a question."""
    return _how(key, "") is not None


def _how(key: str, called: str) -> Masking | None:
    if key in _BY_NAME:
        return _BY_NAME[key]
    if key == "host":
        return lambda text, masks: _host(text, masks, called)
    return next((how for pattern, how in _BY_PATH if pattern.fullmatch(key)), None)


def _key(key: str, masks: Masks) -> str:
    if key.startswith(f"{_CGROUPS}/"):
        folder, _, file = key.removeprefix(_CGROUPS).rpartition("/")
        return f"{_CGROUPS}{masks.group(folder)}/{file}"
    return masks.path(key) if key.startswith(("/etc/sysctl.d/", "/run/sysctl.d/", "/usr/local/")) else key


def _plain(text: str, _masks: Masks) -> str:
    return text


def _by_word(**how: Callable[[Masks, str], str]) -> Masking:
    """Lines of a word of the probe's own and what it says: those words that name something, by how that is masked."""

    def masking(text: str, masks: Masks) -> str:
        return masked_lines(text, (one(line, masks) for line in text.removesuffix("\n").split("\n")))

    def one(line: str, masks: Masks) -> str:
        word, blank, rest = line.partition(" ")
        return f"{word}{blank}{how[word](masks, rest)}" if word in how else line

    return masking


def _stat(masks: Masks, text: str) -> str:
    before, bracket, rest = text.partition("(")
    name, end, after = rest.rpartition(")")
    return f"{before}{bracket}{masks.process(name)}{end}{after}" if end else ""


def _cgroup(masks: Masks, text: str) -> str:
    hierarchy, _, rest = text.partition(":")
    controllers, _, path = rest.partition(":")
    return f"{hierarchy}:{controllers}:{masks.group(path)}"


def _each_line(how: Callable[[Masks, str], str]) -> Masking:
    return lambda text, masks: masked_lines(text, (how(masks, line) for line in text.removesuffix("\n").split("\n")))


def _host(text: str, masks: Masks, called: str) -> str:
    marker = _by_word(
        hostname=lambda _masks, _name: called,
        boot_id=Masks.identifier,
        unit=Masks.unit,
        path=_marker,
        off=lambda _masks, said: f"{said.partition(' ')[0]} says: masked" if said.startswith(FILES) else "masked",
    )
    return marker(text, masks)


def _marker(_masks: Masks, path: str) -> str:
    """The probe asks for these paths itself; where a pattern of its own leaves it open, a name may stand."""
    if path in MARKERS or "libsystemd-shared-" in path:
        return path
    return next((pattern.replace("*", "1") for pattern in MARKERS if fnmatchcase(path, pattern)), "")


def _properties(text: str, masks: Masks) -> str:
    """What systemctl shows; of a line that nobody knows nothing is left."""
    return masked_lines(text, (_property(line, masks) for line in text.removesuffix("\n").split("\n")))


def _property(line: str, masks: Masks) -> str:
    name, _, value = line.partition("=")
    how: dict[str, Callable[[str], str]] = {
        **dict.fromkeys(UNITS_OF, lambda names: " ".join(masks.unit(one) if one else "" for one in names.split(" "))),
        "ControlGroup": masks.group,
        "DropInPaths": lambda paths: " ".join(map(masks.path, paths.split(" "))),
        "InvocationID": masks.identifier,
    }
    if name in how:
        return f"{name}={how[name](value)}"
    return line if name in WORDS or _REFUSED.fullmatch(line) else ""


def _failed_units(text: str, masks: Masks) -> str:
    """The names alone; of a line that names no service nothing is left."""
    lines = text.removesuffix("\n").split("\n")
    return masked_lines(text, (line if line == NOT_ASKED else _named(line, masks) for line in lines))


def _named(line: str, masks: Masks) -> str:
    names = failed_in(line)
    return " ".join(map(masks.unit, names)) if names else line if _REFUSED.fullmatch(line) else ""


def _sysctl_lines(text: str, _masks: Masks) -> str:
    """Settings by number alone: comments and texts are somebody's own."""
    kept = [line for line in text.split("\n") if _SETTING.fullmatch(line)]
    return "".join(f"{line}\n" for line in kept) or "\n"


def _mark(text: str, masks: Masks) -> str:
    """The mark of a change for a while (linux/hold.py)."""
    how: dict[str, Callable[[Masks, str], str]] = {
        "target": lambda masks, name: name if name.startswith(("vm.", "/proc/sys/")) else masks.unit(name),
        "what": lambda _masks, _said: "masked",
    }
    return _by_word(**how)(text, masks)


def _swap(masks: Masks, line: str) -> str:
    found = _SWAP.fullmatch(line)
    return f"{masks.path(found[1])}{found[2]}" if found else line


def _disk(masks: Masks, line: str) -> str:
    """`1 sda 8:0`, or `mount 8:1 /dev/sda1 /data`."""
    words = line.split(" ")
    if words[0] != "mount":
        return " ".join([*words[:1], *(masks.path(word) for word in words[1:2]), *words[2:]])
    return " ".join([*words[:2], *map(masks.path, words[2:])])


def _mapped(masks: Masks, line: str) -> str:
    found = _MAPPED.fullmatch(line)
    if found is None:
        return ""
    name = found[2].removesuffix(" (deleted)")
    deleted = found[2].removeprefix(name)
    if name.startswith("/memfd:"):
        return f"{found[1]}/memfd:{masks.named('memfd', name.removeprefix('/memfd:'))}{deleted}"
    plain = name.startswith("[") or not name or _NAMED_BY_DIGITS.fullmatch(name.removeprefix("/")) is not None
    return f"{found[1]}{name if plain else masks.path(name)}{deleted}"


def _mount(masks: Masks, line: str) -> str:
    found = _STATFS.fullmatch(line)
    return f"{found[1]}{masks.path(found[2])}" if found else ""


def _counted(_masks: Masks, line: str) -> str:
    return line if _COUNTED.fullmatch(line) else ""


def _container(masks: Masks, line: str) -> str:
    try:
        found = json.loads(line)
    except ValueError:
        return ""
    how: dict[str, Callable[[str], str]] = {
        "id": masks.identifier,
        "name": lambda name: f"/{masks.named('container', name.removeprefix('/'))}",
        "image": lambda name: masks.named("image", name),
    }
    if not isinstance(found, dict):
        return ""
    shown: dict[str, Any] = {key: how[key](str(one)) if key in how else one for key, one in found.items()}
    if isinstance(shown.get("labels"), list):
        shown["labels"] = [_label(masks, str(one)) for one in shown["labels"]]
    return json.dumps(shown)


def _label(masks: Masks, text: str) -> str:
    return masks.unit(text) if text.endswith(".service") else masks.named("label", text)


_PROCESSES = _by_word(stat=_stat, cgroup=_cgroup)
_BY_NAME: dict[str, Masking] = {
    FAILED_UNITS: _failed_units,
    WALK: _PROCESSES,
    DETAIL: _PROCESSES,
    "cgroups": _by_word(group=Masks.group),
    "cgroup-details": _by_word(group=Masks.group),
    "units": _by_word(unit=Masks.group),
    "systemctl": _properties,
    "dmesg": masked_log,
    "holds": _by_word(frozen=Masks.group),
    "shm": _plain,
    "blocked": _plain,
    "disks": _each_line(_disk),
    "tmpfs": _each_line(_mount),
    "maps": _each_line(_counted),
    "shared-maps": _each_line(_mapped),
    "containers-docker": _each_line(_container),
    "containers-podman": _each_line(_container),
    "/proc/swaps": _each_line(_swap),
    "/etc/machine-id": lambda text, masks: masked_lines(text, [masks.identifier(text.strip())]),
    "/run/systemd/container": _plain,
    "/proc/1/cgroup": _each_line(_cgroup),
    "/proc/self/cgroup": _each_line(_cgroup),
}
_BY_PATH: tuple[tuple[re.Pattern[str], Masking], ...] = tuple(
    (re.compile(pattern, re.ASCII), how)
    for pattern, how in (
        (r"/proc/\d+/stat", _each_line(_stat)),
        (r"/proc/(?:\d+|self)/(?:smaps_rollup|status|statm)", _plain),
        (r"/(?:etc|run|usr/lib|usr/local/lib)/sysctl(?:\.d/.*)?\.conf", _sysctl_lines),
        (rf"{MARKS}/.*", _mark),
        (
            r"/proc/(?:meminfo|vmstat|stat|buddyinfo|zoneinfo|slabinfo|pressure/.*|sysvipc/shm|spl/.*|sys/(?:vm|fs|kernel)/.*)",
            _plain,
        ),
        (r"/sys/(?:kernel|devices|block|module)/.*", _plain),
        (rf"{_CGROUPS}/.*", _plain),
    )
)

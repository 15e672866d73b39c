"""Gives names that may say whose host it is other ones: the same name is always the same placeholder.

What the kernel, systemd, distributions and well-known programs are called stays, by lists of whole names: what only
begins like one is somebody's. Of such a name the part stays by which the engine knows what may not be touched: else a
masked recording would be judged differently.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache

from memrunbook.core.action import protect
from memrunbook.facts.shared import roles
from memrunbook.linux.advice import RUNTIMES
from memrunbook.linux.kernel_names import DEVICE, is_thread, thread_of
from memrunbook.linux.public_names import DROP_INS, FOLDERS, PROGRAMS, SYSCTL_FILES, UNITS

TYPES = frozenset(
    {"service", "scope", "slice", "socket", "mount", "automount", "swap", "timer", "target", "path", "device"}
)
_UNIT_PATTERNS = (
    *protect.UNTOUCHABLE_UNITS, *protect.CLUSTER_UNITS, *protect.NAMED_ONLY_UNITS,
    *(pattern for patterns in roles.UNITS.values() for pattern in patterns),
)  # fmt: skip
_PROCESS_PATTERNS = (
    *protect.NAMED_ONLY_PROCESSES, *protect.UNTOUCHABLE_PROCESSES, "systemd-*", "sshd-*", "sshd:*",
)  # fmt: skip
_OWN_UNITS = re.compile(
    r"-\.(?:slice|mount)|init\.scope|(?:system|user|machine|app|session|background|kubepods(?:-burstable|-besteffort)?)\.slice"
    r"|user-\d{1,10}\.slice|user@\d{1,10}\.service|user-runtime-dir@\d{1,10}\.service|session-c?\d{1,10}\.scope"
    r"|(?:serial-)?getty@(?:tty[A-Z]{0,4}|hvc|xvc)\d{1,3}\.service",
    re.ASCII,
)
_TEMPLATE_SLICE = re.compile(r"system-([\w\\-]+)\.slice", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12}|[0-9a-f]{12,128}", re.ASCII)
_AROUND_ID = re.compile(
    r"(?:docker|libpod|libpod-conmon|libpod-payload|crio|crio-conmon|cri-containerd|pod|buildkit"
    r"|kubepods(?:-burstable|-besteffort)?-pod)?-?",
    re.ASCII,
)
_GROUPS = frozenset({
    "docker", "libpod_parent", "lxc", "kubepods", "burstable", "besteffort", "machine", "system", "user", "libpod",
    "init", "supervisor", "payload", "udev", "control", "..",
})  # fmt: skip
_NUMBERS = re.compile(r"\d{0,10}(?:[.:,-]\d{1,6}){0,2}", re.ASCII)
"""Of a version or an instance; an address has more parts."""
_ORDER = re.compile(r"\d{1,3}-?", re.ASCII)


class Masks:
    """What each name was given; one for a whole command, so that a name is the same on all of its hosts."""

    def __init__(self) -> None:
        self._given: dict[str, dict[str, str]] = defaultdict(dict)
        self._turn = threading.Lock()  # hosts end in threads of their own

    @property
    def given(self) -> dict[str, str]:
        """The other name of every name, but for ids; of a template without its instance."""
        with self._turn:
            known = {kind: dict(given) for kind, given in self._given.items() if kind}
        whole = {old: f"{new}.{old.rpartition('.')[2]}" for old, new in known.get("unit", {}).items()}
        return {old: new for given in known.values() for old, new in given.items()} | whole

    def host(self, name: str) -> str:
        """A host's name or address."""
        return self._numbered("host", name)

    def named(self, kind: str, name: str) -> str:
        """Anything else that was named by somebody: a container, an image, a label; empty stays empty."""
        return self._numbered(kind, name) if name else ""

    def identifier(self, text: str) -> str:
        """Hexadecimal digits of an id, where they stood; the first twelve already tell two apart."""
        digits = "".join(one for one in text if one.isalnum())
        number = int(self._numbered("", digits).removeprefix("-"))
        fresh = iter(f"{number:012x}".ljust(len(digits), "0"))
        return "".join(next(fresh) if one.isalnum() else one for one in text)

    def process(self, name: str) -> str:
        """A process or a thread by the kernel's name for it."""
        if name in PROGRAMS or is_thread(name) or not name:
            return name
        thread = thread_of(name)
        if thread:
            return thread + self._numbered("queue", name.removeprefix(thread))
        before, after = _known_program(name)
        rest = name.removeprefix(before).removesuffix(after)
        if before and _NUMBERS.fullmatch(rest):
            return name
        return before + self._numbered("process", name) + after

    def unit(self, name: str) -> str:
        """A unit of systemd, its type kept; that of a template keeps what is common."""
        base, _, kind = name.rpartition(".")
        if kind not in TYPES:
            return self._component(name)
        if _OWN_UNITS.fullmatch(name) or base in UNITS or name in _UNIT_PATTERNS:
            return name
        if _ID.search(base) and _AROUND_ID.fullmatch(_ID.sub("", base)):
            return f"{_ID.sub(lambda found: self.identifier(found[0]), base)}.{kind}"
        template, at, instance = base.partition("@")
        if at and template in UNITS:
            return f"{template}@{self.named('instance', instance)}.{kind}"
        slice_of = _TEMPLATE_SLICE.fullmatch(name)
        if slice_of and slice_of[1].replace(r"\x2d", "-") in UNITS:
            return name
        before, after = _known_parts(name)
        return f"{before}{self._numbered('unit', f'{template}.{kind}' if at else name)}" + (
            after or (f"@{self.named('instance', instance)}.{kind}" if at else f".{kind}")
        )

    def group(self, path: str) -> str:
        """The path of a control group."""
        return "/".join(self._group(part) for part in path.split("/"))

    def path(self, path: str) -> str:
        """The path of a file, a folder or a device."""
        return "/".join(map(self._component, path.split("/")))

    def _group(self, part: str) -> str:
        deleted = " (deleted)" if part.endswith(" (deleted)") else ""
        plain = part.removesuffix(deleted)
        if plain in _GROUPS or not plain:
            return part
        if "." in plain and plain.rpartition(".")[2] in TYPES:
            return self.unit(plain) + deleted
        if _ID.search(plain) and _AROUND_ID.fullmatch(_ID.sub("", plain)):
            return _ID.sub(lambda found: self.identifier(found[0]), plain) + deleted
        for before in ("lxc.payload.", "lxc.monitor."):
            if plain.startswith(before):
                return before + self._numbered("guest", plain.removeprefix(before)) + deleted
        return self._numbered("group", plain) + deleted

    def _component(self, part: str) -> str:
        if part in FOLDERS or DEVICE.fullmatch(part) or _NUMBERS.fullmatch(part):
            return part
        unit, dropins = part.removesuffix(".d"), ".d" if part.endswith(".d") else ""
        if "." in unit and unit.rpartition(".")[2] in TYPES:
            return self.unit(unit) + dropins
        if part.endswith(".conf"):  # in folders of them the digits in front decide which one counts
            digits = _ORDER.match(part)
            public = part in SYSCTL_FILES or part in DROP_INS
            return part if public else f"{digits[0] if digits else ''}{self._numbered('file', part)}.conf"
        return self._numbered("name", part)

    def _numbered(self, kind: str, name: str) -> str:
        with self._turn:
            given = self._given[kind]
            return given.setdefault(name, f"{kind}-{len(given) + 1}")


@cache
def _known_parts(name: str) -> tuple[str, str]:
    """What of a unit's name must stay so that the same patterns hold of it: the longest beginning, or an end."""
    matching = [pattern for pattern in _UNIT_PATTERNS if fnmatchcase(name, pattern)]
    before = max((pattern.partition("*")[0] for pattern in matching), key=len, default="")
    ends = (pattern.removeprefix("*") for pattern in matching if pattern.startswith("*") and not pattern.endswith("*"))
    after = next((end for end in ends if end.count(".") and end.removeprefix(".") not in TYPES), "")
    return (f"{before}-" if before and before[-1] not in "-@" else before), (f"-{after}" if after else "")


@cache
def _known_program(name: str) -> tuple[str, str]:
    """The beginning of a process's name by which the engine knows what it is, and the end; both empty for none."""
    ends = [_around(pattern) for pattern in _PROCESS_PATTERNS if fnmatchcase(name, pattern)]
    ends += [(found[0], "") for pattern, _, _ in RUNTIMES if (found := re.match(pattern, name, re.ASCII))]
    return max(ends, key=lambda parts: len(parts[0]), default=("", ""))


def _around(pattern: str) -> tuple[str, str]:
    before, star, after = pattern.partition("*")
    return before, after if star else ""


def masked_lines(text: str, lines: Iterable[str]) -> str:
    """Lines put together as those of the text were: with a line feed at the end where it had one."""
    joined = "\n".join(lines)
    return f"{joined}\n" if joined and text.endswith("\n") else joined

"""Masks an answer line by line.

A line stays whose every part is a name that was masked, or what the kernel or systemd writes there; no other does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from memrunbook.linux.kernel_names import is_slab
from memrunbook.linux.public_names import CONTROLLERS, STATES
from memrunbook.runtime.masking import Masks

Masking = Callable[[str, Masks], str]
LineMasking = Callable[[str, Masks], str | None]
"""A line with other names in it; None leaves it out."""
JOINED = "\0"
"""Stands for the line feed in a name that holds one: no name holds this."""
_NUMBER = re.compile(r"-?\d{1,20}", re.ASCII)
_SPAN = re.compile(r"\d{1,20}(?:us|ms|s|min|h|d|w|month|y)?", re.ASCII)
_STAT = re.compile(r"(\d{1,10} \()(.*)(\) [A-Za-z](?: -?\d{1,20})*\s*)", re.ASCII | re.DOTALL)
_CGROUP = re.compile(r"(\d{1,10}):([^:]*):(/.*)", re.ASCII)
_SIZES = re.compile(r"(?:Uid|VmSize|VmRSS|VmSwap|Rss(?:Anon|File|Shmem)):[\s\d]{1,80}(?:kB)?", re.ASCII)
_STATFS = re.compile(r"(\d+ \d+ \d+ )(/.*)", re.ASCII)
_SWAP = re.compile(r"(/\S*)(\s+(?:partition|file)\s+\d+\s+\d+\s+-?\d+\s*)", re.ASCII)
_SWAPS_HEAD = re.compile(r"Filename\s+Type\s+Size\s+Used\s+Priority\s*", re.ASCII)
_DISK = re.compile(r"([01]) (\S+) ((?:\d+:\d+)?)", re.ASCII)
_MOUNT = re.compile(r"(mount \d+:\d+) (\S+) (/\S*)", re.ASCII)
_MAPPED = re.compile(r"([0-9a-f]+-[0-9a-f]+ [rwxsp-]{4} [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ \d+ +)(.*)", re.ASCII)
_BY_ITSELF = re.compile(r"\[(?:heap|stack|vdso|vvar|vsyscall|anon_shmem)\]|/(?:Key|SYSV)[0-9a-f]+|", re.ASCII)
_LABELLED = re.compile(r"(\[anon(?:_shmem)?:|/memfd:|/dmabuf:)([^\]]*)(\]?)", re.ASCII)
_COUNTED = re.compile(r" *\d+ (?:total|/proc/\d+/maps)", re.ASCII)
_SLABS_HEAD = re.compile(
    r"slabinfo - version: \d\.\d(?: \(statistics\))?|"
    r"# ?name +<active_objs> <num_objs> <objsize>(?: <objperslab> <pagesperslab>)? : tunables <limit> <batchcount> "
    r"<sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>",
    re.ASCII,
)


def each_line(how: LineMasking) -> Masking:
    """Line by line."""

    def masking(text: str, masks: Masks) -> str:
        lines = [how(line, masks) if line else "" for line in text.removesuffix("\n").split("\n")]
        return put_together(text, [line for line in lines if line is not None])

    return masking


def by_word(**how: LineMasking) -> Masking:
    """Lines of a word of the probe's own and what it says, by word; a word that is not named here is left out."""

    def one(line: str, masks: Masks) -> str | None:
        word, blank, rest = line.partition(" ")
        told = how[word](rest, masks) if word in how else None
        return None if told is None else f"{word}{blank}{told}"

    return each_line(one)


def put_together(text: str, lines: Collection[str]) -> str:
    """Lines put together as those of the text were; of a text that had some and keeps none a line feed is left.

    An empty file would be read as one that could not be read.
    """
    joined = "\n".join(lines)
    return f"{joined}\n" if text and (not joined or text.endswith("\n")) else joined


def shaped(pattern: str) -> LineMasking:
    """A line that is so to its end, and names nobody."""
    shape = re.compile(pattern, re.ASCII)
    return lambda line, _masks: line if shape.fullmatch(line) else None


def one_of(words: Collection[str], other: str) -> Masking:
    """One word of these; `other` for all that somebody may have written there."""
    return lambda text, _masks: text if text.strip() in words else f"{other}\n"


def figures(line: str, _masks: Masks) -> str | None:
    """Numbers, and the words that the kernel and the probe write in their place."""
    words = line.split()
    known = all(word in ("max", "-", "swapped") or _NUMBER.fullmatch(word) for word in words)
    return line if known else None


def whole_stat(text: str, masks: Masks) -> str:
    """A file `stat`, whatever stands in its name."""
    return stat(text.removesuffix("\n").replace("\n", JOINED), masks) or "\n"


def joined_stats(how: Masking) -> Masking:
    """The answer about processes: of a name that holds a line feed each line has the word `stat`."""
    return lambda text, masks: how(re.sub(r"(?<=\nstat )[^\n]*(?:\nstat [^\n]*)+", _one_line, text), masks)


def _one_line(found: re.Match[str]) -> str:
    return found[0].replace("\nstat ", JOINED)


def stat(line: str, masks: Masks) -> str | None:
    """What `stat` says of a process."""
    found = _STAT.fullmatch(line)
    return f"{found[1]}{masks.process(found[2].replace(JOINED, chr(10)))}{found[3]}" if found else None


def sizes(line: str, _masks: Masks) -> str | None:
    """A line of `status` that facts read: users by number, and sizes."""
    return line if _SIZES.fullmatch(line) else None


def cgroup(line: str, masks: Masks) -> str | None:
    """`hierarchy:controllers:path`; a hierarchy without controllers has whatever name it was given."""
    found = _CGROUP.fullmatch(line)
    if found is None:
        return None
    controllers = (one if one in CONTROLLERS else masks.named("hierarchy", one) for one in found[2].split(","))
    return f"{found[1]}:{','.join(controllers)}:{masks.group(found[3])}"


def controllers(line: str, _masks: Masks) -> str | None:
    """The version of control groups and the controllers of their root."""
    return line if all(word in CONTROLLERS or word.isdecimal() for word in line.split()) else None


def group(line: str, masks: Masks) -> str:
    """The path of a control group."""
    return masks.group(line)


def unit(line: str, masks: Masks) -> str:
    """The name of a unit."""
    return masks.unit(line)


def identifier(line: str, masks: Masks) -> str:
    """An id: digits."""
    return masks.identifier(line)


def state(line: str) -> bool:
    """Whether systemd itself writes so of a unit: states, numbers and spans of time."""
    return all(word in STATES or _SPAN.fullmatch(word) for word in line.split())


def swap(line: str, masks: Masks) -> str | None:
    """A line of /proc/swaps."""
    found = _SWAP.fullmatch(line)
    if found is None:
        return line if _SWAPS_HEAD.fullmatch(line) else None
    return f"{masks.path(found[1])}{found[2]}"


def disk(line: str, masks: Masks) -> str | None:
    """`1 sda 8:0`, or `mount 8:1 /dev/sda1 /data`."""
    named, mounted = _DISK.fullmatch(line), _MOUNT.fullmatch(line)
    if mounted:
        return f"{mounted[1]} {masks.path(mounted[2])} {masks.path(mounted[3])}"
    return f"{named[1]} {masks.path(named[2])} {named[3]}" if named else None


def mapped(line: str, masks: Masks) -> str | None:
    """A line of `maps`: a file, or memory that its owner labelled."""
    found = _MAPPED.fullmatch(line)
    if found is None:
        return None
    name = found[2].removesuffix(" (deleted)")
    deleted, labelled = found[2].removeprefix(name), _LABELLED.fullmatch(name)
    if labelled:
        return f"{found[1]}{labelled[1]}{masks.named('memfd', labelled[2])}{labelled[3]}{deleted}"
    plain = _BY_ITSELF.fullmatch(name) is not None
    return f"{found[1]}{name if plain else masks.path(name)}{deleted}"


def mount(line: str, masks: Masks) -> str | None:
    """Block size, blocks, free blocks and mount point."""
    found = _STATFS.fullmatch(line)
    return f"{found[1]}{masks.path(found[2])}" if found else None


def counted(line: str, _masks: Masks) -> str | None:
    """What `wc -l` says of a process's mappings."""
    return line if _COUNTED.fullmatch(line) else None


def slab(line: str, masks: Masks) -> str | None:
    """A cache of kernel objects; those of modules that are not the kernel's own have names of their makers."""
    if _SLABS_HEAD.fullmatch(line):
        return line
    name, _, rest = line.partition(" ")
    words = [word for word in rest.split() if not _NUMBER.fullmatch(word)]
    if words not in ([":", "tunables", ":", "slabdata"], []):
        return None
    return f"{slab_name(name, masks)} {rest}"


def slab_name(name: str, masks: Masks) -> str:
    """The name of a cache."""
    return name if is_slab(name) else masks.named("slab", name)

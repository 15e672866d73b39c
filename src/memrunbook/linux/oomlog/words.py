"""The words by which lines are found, and the rules that read the lines that hold them."""

from __future__ import annotations

from collections.abc import Callable

from memrunbook.linux.oomlog import killers, lines, memory, others
from memrunbook.linux.oomlog.event import Picture

# A block is searched once for each word on the left: few and rare ones make it fast.
STARTS: dict[bytes, dict[str, lines.Rule]] = {
    b"oom": {
        "oom-killer: ": lines.header,
        "oom-kill:constraint": lines.summary,
        "oom_reaper": lines.reaped,
        "oom.group set": lines.group,
    },
    b"illed ": {"Killed process": lines.kill, "killed as a result": lines.limit},
    b"ill process": {" score ": lines.choice, "sharing same memory": lines.sharing},
    b"memory: usage": {"": lines.usage},
    b"is already exiting": {"OOM victim": lines.exiting},
    b"killable": {"no killable processes": lines.hopeless},
    b"not syncing": {"not syncing: ": lines.panic},
}
OTHERS: dict[bytes, tuple[others.LineReading, ...]] = {
    b"oom": (others.unit, killers.read_killer),
    b"nohang": (killers.read_killer,),
    b"OOM killer.": (others.unit,),
    b"allocation failure": (others.failure, others.vmalloc),
    b"B: Unable to alloc": (others.slub,),
    b"enough_memory": (others.refusal,),
    b"drop_caches: ": (others.drop,),
    b"vmalloc error": (others.vmalloc,),
    b"callbacks suppressed": (others.loss,),
    b" messages": (others.loss,),
}
BOOTS = (b"Linux version ", b"\n-- ")
REPORT, TABLE = b"Mem-", b"total_vm"
INSIDE: dict[bytes, dict[str, lines.Rule]] = {
    b"omm: ": {"PID: ": lines.processor, "Pid: ": lines.processor},
    b"oom": {"moom_callback": lines.by_hand},
    b"mems_allowed=": {"": lines.cpuset},
    b"cgroup stats for": {"": lines.group_stats},
}
PICTURE: dict[bytes, Callable[[Picture, str], bool]] = {
    b"*4096kB": memory.blocks,
    b"kB min:": memory.zone,
    b"hugepages_total=": memory.huge,
    b" swap ": memory.swap,
    b" pages ": memory.pages,
}
FIRST = tuple(dict.fromkeys((*STARTS, *OTHERS, *BOOTS, REPORT, TABLE)))
"""What a log is searched for while nothing is going on."""
ALL = tuple(dict.fromkeys((*FIRST, *INSIDE, *PICTURE)))

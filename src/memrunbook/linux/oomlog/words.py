"""The words by which lines are found, and the rules that read the lines that hold them."""

from __future__ import annotations

from collections.abc import Callable

from memrunbook.linux.oomlog import android, caches, cluster, hung, killers, lines, memory, others, pods, stalls
from memrunbook.linux.oomlog.event import Picture

# A block is searched for all words on the left at once; each line that holds one costs time.
STARTS: dict[bytes, dict[str, lines.Rule]] = {
    b"oom": {
        "oom-killer: ": lines.header,
        "oom-kill:": lines.summary,
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
    b"oom": (others.unit, killers.read_killer, cluster.read_runtime, android.read_android, android.read_more),
    b"nohang": (killers.read_killer,),
    b", VmRSS": (killers.read_killer,),
    b"OOM": (others.unit, others.fault, cluster.read_talos, cluster.read_system, cluster.read_runtime),
    b"Got sys oom": (cluster.read_system,),
    b"Container killed": (cluster.read_runtime,),
    b"SIGKILL to cgroup": (cluster.read_talos,),
    b"viction manager": (cluster.read_kubelet,),
    b"low on resource: ": (cluster.read_kubelet,),
    b"lowmemorykiller": (android.read_android,),
    b"send sigkill to": (android.read_android,),
    b" allocation ": (others.failure, stalls.stall, others.vmalloc, others.percpu),
    b"B: Unable to alloc": (caches.failure,),
    b"enough_memory": (others.refusal,),
    b"drop_caches: ": (others.drop,),
    b"vmalloc error": (others.vmalloc,),
    b"alloc failed, req-size: ": (others.cma,),
    b"pids controller": (others.pids,),
    b"-error on swap-device (": (others.swap_error,),
    b"blocked for more than": (hung.hung,),
    b"callbacks suppressed": (others.fault, others.loss),
    b" messages": (others.loss,),
}
BELOW: dict[bytes, tuple[others.LineReading, ...]] = {
    b", object size: ": (caches.named,),
    b"on behalf of '": (android.read_more,),
}
"""What goes on with another line of these: not searched for where nothing was found."""
# Looked for only near an event: a node's journal is full of them.
NEARBY: dict[bytes, tuple[others.LineReading, ...]] = dict.fromkeys((b"podU", b"PodSandboxM", b"kubelet"), (pods.pod,))
BOOTS = (b"Linux version ", b"\n-- ")
REPORT, TABLE = b"Mem-", b"total_vm"
INSIDE: dict[bytes, dict[str, lines.Rule]] = {
    b"omm: ": {"PID: ": lines.processor, "Pid: ": lines.processor},
    b"oom": {"moom_callback": lines.by_hand},
    b"mems_allowed=": {"": lines.cpuset},
    b"kmem: usage": {"": lines.kmem},
    b"pagefault_out": {"": lines.page_fault},
    b"cgroup stats for": {"": lines.group_stats},
}
PICTURE: dict[bytes, Callable[[Picture, str], bool]] = {
    b"*4096kB": memory.blocks,
    b"kB min:": memory.zone,
    b"hugepages_total=": memory.huge,
    b"lowmem_reserve[]": memory.reserve,
    b"slab info:": memory.caches_begin,
    b" swap ": memory.swap,
    b" pages ": memory.pages,
}
FIRST = frozenset((*STARTS, *OTHERS, *BOOTS, REPORT, TABLE))
"""What begins something: while nothing is going on, a block without any of these is passed over."""
ALL = tuple(dict.fromkeys((*STARTS, *OTHERS, *BOOTS, REPORT, TABLE, *BELOW, *INSIDE, *PICTURE, *NEARBY)))

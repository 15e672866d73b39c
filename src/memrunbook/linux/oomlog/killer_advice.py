"""What killers other than the kernel's OOM killer did, and what follows: by who acted."""

from __future__ import annotations

# What happened, what may help, what cannot: by who acted.
KILLERS: dict[str, tuple[str, str, str]] = {
    "systemd-oomd": (
        "systemd-oomd killed a whole control group before the kernel had to",
        "limit what runs in it, more RAM or swap; ManagedOOMPreference=avoid spares a unit",
        "",
    ),
    "earlyoom": (
        "earlyoom ended a process: free memory and swap fell below its limits",
        "limit or restart what grew, more RAM or swap; earlyoom --avoid spares a process",
        "",
    ),
    "nohang": (
        "nohang ended a process: memory, swap or stalls passed its thresholds",
        "limit or restart what grew, more RAM or swap; nohang.conf can spare a process",
        "",
    ),
    "oomd": ("oomd killed a control group by its rules", "limit what runs in it, or change the rule that it names", ""),
    "lmkd": (
        "Android's lmkd ended an app to free memory",
        "fewer or smaller apps; oom_score_adj 900 and more are cached apps, whose end is usual",
        "",
    ),
    "lowmemorykiller": (
        "the kernel's driver lowmemorykiller ended a process: the page cache fell below its limit",
        "use less memory; the limits are /sys/module/lowmemorykiller/parameters/minfree",
        "",
    ),
    "talos": (
        "Talos's OOM controller killed a control group: tasks of the node stalled for want of memory",
        "requests and limits that match what the pods use, more RAM for the node",
        "restarting that pod: it comes back to the same node",
    ),
    "kubelet": (
        "the kubelet evicted a pod because the node was short; no limit was hit",
        "requests that match what the pods use, fewer pods, more RAM for the node",
        "raising that pod's limit",
    ),
}

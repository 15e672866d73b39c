"""What a login must be able to do on a host, for which actions, and how a shell finds out without changing anything."""

from __future__ import annotations

from typing import Literal, NamedTuple

AbilityFound = Literal["yes", "no", "absent"]
"""It may; it may not; the host has nothing of the kind."""
SCRIPT = r"""
able() {
  mrb_name=$1; shift
  if "$@" >/dev/null 2>&1; then mrb_found=yes; else mrb_found=no; fi
  printf '%s %s\n' "${mrb_absent:-$mrb_found}" "$mrb_name"; mrb_absent=
}
# Opened for writing and closed again: nothing is written, and a mount that is read-only is found out.
opens() { mrb_file=$2; [ -e "$2" ] || mrb_absent=absent; able "$1" mrb_open; }
mrb_open() { true >>"$mrb_file"; }
mrb_first() { IFS= read -r mrb_line <"$mrb_file"; }
reads() { mrb_file=$2; [ -e "$2" ] || mrb_absent=absent; able "$1" mrb_first; }
finds() {
  mrb_find=$1 mrb_absent=absent; shift
  for mrb_word in "$@"; do command -v "$mrb_word" >/dev/null 2>&1 && mrb_absent=; done
  able "$mrb_find" true
}
able root [ "${shell_user:-}" = 0 ]
able start child true
able kernel-log child dmesg
reads smaps /proc/1/smaps_rollup
mrb_stat=/sys/fs/cgroup/memory.stat
for mrb_try in /sys/fs/cgroup/system.slice/memory.stat /sys/fs/cgroup/memory/memory.stat; do
  [ -e "$mrb_stat" ] || mrb_stat=$mrb_try
done
reads cgroup-files "$mrb_stat"
opens sysctls /proc/sys/vm/swappiness
opens drop-caches /proc/sys/vm/drop_caches
opens compact-memory /proc/sys/vm/compact_memory
opens huge-pages /proc/sys/vm/nr_hugepages
opens transparent-huge-pages /sys/kernel/mm/transparent_hugepage/enabled
opens lru-gen /sys/kernel/mm/lru_gen/min_ttl_ms
[ -d /etc/sysctl.d ] || mrb_absent=absent
able drop-ins [ -w /etc/sysctl.d ]
[ -d /run/systemd/system ] || mrb_absent=absent
able systemd child systemctl --no-ask-password --version
mrb_file=
for mrb_try in /sys/fs/cgroup/*/memory.reclaim; do [ -e "$mrb_try" ] && mrb_file=$mrb_try; done
opens reclaim "${mrb_file:-/nonexistent}"
finds containers docker podman
opens oom-score /proc/1/oom_score_adj
able signals kill -0 1
finds swap mkswap
[ -e /sys/class/zram-control ] || command -v modprobe >/dev/null 2>&1 || mrb_absent=absent
able zram [ "${shell_user:-}" = 0 ]
mrb_place=/run
if [ "${shell_user:-}" != 0 ]; then
  mrb_place=/run/user/${shell_user:-none}; [ -w "$mrb_place" ] || mrb_place=${TMPDIR:-/tmp}
fi
able lock [ -w "$mrb_place" ]
mrb_witness() { { [ -e /dev/kmsg ] && true >>/dev/kmsg; } 2>/dev/null || command -v logger; }
able witness mrb_witness
"""
"""Prints a line for each ability: yes, no or absent, and its name. Built-ins first: a host may start nothing more."""


class Ability(NamedTuple):
    """One ability: what it is, whether for reading or for changing, which actions need it, what gives it."""

    name: str
    what: str
    area: Literal["reads", "changes"]
    actions: tuple[str, ...] = ()
    remedy: str = ""
    all_actions: bool = False


SUDO = "log in as root, or let sudo make this login root"
KERNEL = "a container or a read-only mount hides it: reach the machine itself"
NEED_NO_ROOT = frozenset({"capture_evidence", "run_check_command", "run_command"})
"""Actions that do what they do as whoever logs in."""
ABILITIES = (
    Ability("root", "to be root", "changes", remedy=SUDO, all_actions=True),
    Ability("start", "to start programs", "changes", remedy="free memory or pids there", all_actions=True),
    Ability("kernel-log", "to read the kernel's log (dmesg)", "reads", remedy=SUDO),
    Ability("smaps", "to read the memory maps of all processes (/proc/*/smaps)", "reads", remedy=SUDO),
    Ability("cgroup-files", "to read control groups", "reads", remedy="see that /sys/fs/cgroup is mounted"),
    Ability("sysctls", "to set kernel parameters", "changes", ("set_sysctl", "set_dirty_limits"), KERNEL),
    Ability("drop-caches", "to drop caches", "changes", ("drop_caches",), KERNEL),
    Ability("compact-memory", "to compact memory", "changes", ("compact_memory",), KERNEL),
    Ability("huge-pages", "to release huge pages", "changes", ("release_hugepages",), KERNEL),
    Ability("transparent-huge-pages", "to set transparent huge pages", "changes", ("set_thp",), KERNEL),
    Ability("lru-gen", "to set the multi-generational LRU", "changes", ("set_lru_gen_min_ttl",), KERNEL),
    Ability("drop-ins", "to keep kernel parameters in /etc/sysctl.d", "changes", ("set_sysctl",), KERNEL),
    Ability("systemd", "to ask systemd", "changes",
            ("restart_unit", "start_unit", "stop_unit", "freeze_unit", "thaw_unit", "limit_unit"), "see systemctl"),
    Ability("reclaim", "to reclaim from a control group", "changes", ("reclaim_cgroup",), KERNEL),
    Ability("containers", "to restart containers (docker or podman)", "changes", ("restart_container",)),
    Ability("oom-score", "to spare a process (oom_score_adj)", "changes", ("set_oom_score_adj",), SUDO),
    Ability("signals", "to stop processes of others", "changes", ("stop_process",), SUDO),
    Ability("swap", "to make swap (mkswap)", "changes", ("add_swap_file", "cycle_swap")),
    Ability("zram", "to set up zram", "changes", ("setup_zram",), SUDO),
    Ability("lock", "to lock the host for one run at a time", "changes",
            remedy="see that /run, or /tmp, can be written", all_actions=True),
    Ability("witness", "to leave a line in the host's own log", "changes", all_actions=True,
            remedy="let it write /dev/kmsg, or install logger: the audit compares that log with the journal"),
)  # fmt: skip


def read_abilities(text: str) -> dict[str, AbilityFound]:
    """What the script said, by ability; other lines (a banner, a warning) are left out."""
    known, found = {one.name for one in ABILITIES}, dict[str, AbilityFound]()
    words: dict[str, AbilityFound] = {"yes": "yes", "no": "no", "absent": "absent"}
    for line in text.splitlines():
        word, _, name = line.partition(" ")
        if word in words and name in known:
            found[name] = words[word]
    return found

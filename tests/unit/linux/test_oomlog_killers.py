"""Killers other than the OOM killer, in the forms of their sources of all versions: our own names and numbers."""

from __future__ import annotations

import pytest

from memrunbook.linux.oomlog.category import category
from memrunbook.linux.oomlog.event import KernelLog, LogEvent
from memrunbook.linux.oomlog.label import whose
from memrunbook.linux.oomlog.reader import read_log

USERS = "/user.slice/user-1000.slice/user@1000.service"
POD = "/kubepods/besteffort/pod0a1b2c3d-1111-2222-3333-444455556666"


def read(text: str) -> KernelLog:
    return read_log(text.strip("\n").split("\n"))


def only(text: str) -> LogEvent:
    (event,) = read(text).events
    return event


DRIVER = {
    "3.10 and later, on a console": (
        """
<6>lowmemorykiller: Killing 'com.shop.app' (2613), adj 1000,
<6>   to free 20784kB on behalf of 'kswapd0' (442) because
<6>   cache 32112kB is below limit 32384kB for oom_score_adj 1000
<6>   Free memory is 17432kB above reserved
""",
        ("com.shop.app", 2613, 1000, 20784, "kswapd0", 442, "cache 32112kB is below limit 32384kB"),
    ),
    "4.x, with the thread group and stamps": (
        """
[  100.000001] lowmemorykiller: Killing 'shop.ui' (31) (tgid 30), adj 906,
                  to free 1000kB on behalf of 'Binder:1_2' (77) because
                  cache 5kB is below limit 6kB for oom_score_adj 800
""",
        ("shop.ui", 31, 906, 1000, "Binder:1_2", 77, "cache 5kB is below limit 6kB"),
    ),
    "a vendor's, with the CPU, both scales and zswap": (
        """
<6>[302600.931727]  (4)[10628:Cam@Aux]lowmemorykiller: Killing 'android.browser' (28649), adj 18, score_adj 1000,
<6>[302600.931727]    to free 72464kB (70000KB 2464KB) on behalf of 'Cam@Aux' (10628) because
<6>[302600.931727]    cache 1000628kB is below limit 322560kB for oom_score_adj 0
""",
        ("android.browser", 28649, 1000, 72464, "Cam@Aux", 10628, "cache 1000628kB is below limit 322560kB"),
    ),
    "one line with escaped newlines": (
        (
            "[  149.950550] lowmemorykiller: Killing 'process.media' (2846) (tgid 2846), adj 999,\\x0ato free 81288kB"
            " on behalf of 'kswapd0' (136) because\\x0acache 321644kB is below limit 322560kB for oom score 950\\x0aF"
        ),
        ("process.media", 2846, 999, 81288, "kswapd0", 136, "cache 321644kB is below limit 322560kB"),
    ),
    "in a syslog": (
        """
Nov 22 09:43:52 tablet kernel: [  9.1] lowmemorykiller: Killing 'a 'quoted' one' (5), adj 529,
Nov 22 09:43:52 tablet kernel: [  9.1]    to free 8kB on behalf of 'x' (6) because
Nov 22 09:43:52 tablet kernel: [  9.1]    cache 1kB is below limit 2kB for oom_score_adj 529
""",
        ("a 'quoted' one", 5, 529, 8, "x", 6, "cache 1kB is below limit 2kB"),
    ),
}


@pytest.mark.parametrize(("text", "told"), DRIVER.values(), ids=DRIVER)
def test_the_kernels_own_low_memory_killer(text: str, told: tuple[object, ...]) -> None:
    event = only(text)
    (kill,) = event.kills
    assert (event.killer, category(event), event.missing, event.complete) == ("lowmemorykiller", "global", [], True)
    assert (kill.name, kill.pid, kill.oom_score_adj, kill.rss_kib) == told[:4]
    assert (event.trigger, event.trigger_pid, event.reason) == told[4:]
    assert read(text).kernel


SIGKILLS = {
    "[9.5] send sigkill to 12 (com.b), adj 15, size 5196": ("com.b", 12, 15, 20784),
    "[9.5] send sigkill to 12 (com.b), oom_adj 15, size 10": ("com.b", 12, 15, 40),
    "<4>[9.5] send sigkill to 12 (a (b)), score_adj 764, size 10": ("a (b)", 12, 764, 40),
    "[9.5] send sigkill to 12 (com.b), oom_adj 15, score_adj 1000, min_score_adj 529, size 10, free 4358 9": (
        "com.b", 12, 1000, 40,
    ),
    "[9.5] lowmemorykiller: send sigkill to 12 (com.b), adj -17, size 10": ("com.b", 12, -17, 40),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), SIGKILLS.items())
def test_the_same_of_older_kernels(text: str, told: tuple[object, ...]) -> None:
    event = only(text)
    (kill,) = event.kills
    assert event.killer == "lowmemorykiller"
    assert (kill.name, kill.pid, kill.oom_score_adj, kill.rss_kib) == told


LMKD = {
    "logcat threadtime": (
        (
            "11-22 09:43:52.123   512   512 I lowmemorykiller: Kill 'com.x' (12), uid 10123, oom_score_adj 200 to free"
            " 45678kB rss, 1234kB swap; reason: low watermark is breached and swap is low (1kB < 2kB)"
        ),
        ("com.x", 12, 10123, 200, 45678, 1234),
        "low watermark is breached and swap is low (1kB < 2kB)",
    ),
    "logcat brief, two lines": (
        (
            "I/lowmemorykiller(  512): Killing 'com.y' (13), uid 10124, adj 900\n"
            "I/lowmemorykiller(  512):    to free 12345kB because system is under medium memory pressure oom_adj 800"
        ),
        ("com.y", 13, 10124, 900, 12345, None),
        "system is under medium memory pressure",
    ),
    "Android 10": (
        "01-02 03:04:05.678   500   500 I lowmemorykiller: Kill 'com.z' (14), uid 10125, oom_adj 905 to free 100kB",
        ("com.z", 14, 10125, 905, 100, None),
        "",
    ),
    "the daemon's name as tag": (
        (
            "08-30 04:10:00.000 I lmkd: Kill 'com.q' (15), uid 10126, oom_score_adj 0 to free 7kB rss, 8kB swap; "
            "reason: device is not responding"
        ),
        ("com.q", 15, 10126, 0, 7, 8),
        "device is not responding",
    ),
    "without a user, as logcat epoch": (
        "1700000000.123  512  512 I lowmemorykiller: Killing 'com.example' (16), adj 950",
        ("com.example", 16, None, 950, None, None),
        "",
    ),
}


@pytest.mark.parametrize(("text", "told", "reason"), LMKD.values(), ids=LMKD)
def test_androids_daemon(text: str, told: tuple[object, ...], reason: str) -> None:
    event = only(text)
    (kill,) = event.kills
    assert (event.killer, category(event), event.reason) == ("lmkd", "userspace", reason)
    assert (kill.name, kill.pid, kill.uid, kill.oom_score_adj, kill.rss_kib, kill.swap_kib) == told
    assert event.date or text.startswith("I/")


def test_the_daemons_watchdog_and_what_it_spared() -> None:
    assert only("I lmkd: lmkd watchdog killed process 77, oom_score_adj 900").kills[0].pid == 77
    log = read("11-22 09:43:52.123 5 5 I lowmemorykiller: Skipping kill; 2048 kB freed elsewhere.")
    assert (log.events, [(n.kind, n.name, n.date) for n in log.notes]) == (
        (), [("not-killed", "lmkd", "11-22 09:43:52.123")],
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "lowmemorykiller: lmkd data connection established",
        "11-22 09:43:52.123 5 5 I lowmemorykiller: Reclaimed enough memory (pages to free=1, pages freed=2)",
        "[9.5] app[7]: Killing 'x' (12), adj 3 in lowmemorykiller",
        "[9.5]    to free 1kB on behalf of 'kswapd0' (1) because",
        "[9.5] lmkd: started",
        "ActivityManager: Killing 12:com.x/u0a12 (adj 900): empty",
    ],
)
def test_lines_of_android_that_are_no_kill(text: str) -> None:
    log = read(text)
    assert (log.events, log.notes) == ((), ())


OOMD = {
    "248 to 256": (
        (
            "Nov 1 10:00:00 h systemd-oomd[9]: Killed /system.slice/shop.service due to memory pressure for"
            " /system.slice being 80.00% > 60.00% for > 30s with reclaim activity"
        ),
        "shop.service",
    ),
    "257 and later": (
        (
            "[   77.7] systemd-oomd[9]: Marked /system.slice/shop.service for killing due to memory used (95) / total"
            " (100) and swap used (9) / total (10) being more than 90.00%"
        ),
        "shop.service",
    ),
    "a scope of a user": (
        f"Nov 1 10:00:00 h systemd-oomd[9]: Killed {USERS}/app.slice/app-gnome-a\\x2db-7.scope due to memory pressure",
        "app-gnome-a-b-7.scope of user 1000",
    ),
    "a group inside that of a user's service": (
        f"Nov 1 10:00:00 h systemd-oomd[9]: Killed {USERS}/app.slice/tab.service/deep due to memory pressure for x",
        "deep of user 1000",
    ),
    "a session": (
        "Nov 1 10:00:00 h systemd-oomd[9]: Killed /user.slice/user-1000.slice/session-3.scope due to swap",
        "session-3.scope of user 1000",
    ),
    "a user's whole manager": (f"Nov 1 10:00:00 h systemd-oomd[9]: Killed {USERS} due to swap", "user@1000.service"),
    "a container of a user": (
        f"Nov 1 10:00:00 h systemd-oomd[9]: Killed {USERS}/user.slice/libpod-{'ab' * 32}.scope due to swap",
        f"libpod-{'ab' * 32}.scope of user 1000",
    ),
    "a rule": (
        (
            "Nov 1 10:00:00 h systemd-oomd[9]: Rule 'strict' conditions met for cgroup /shop.slice/a.service for 30s,"
            " taking action kill-all"
        ),
        "a.service",
    ),
    "systemd's own line alone": (
        "Nov 1 10:00:00 h systemd[1]: shop.service: systemd-oomd killed 3 process(es) in this unit.",
        "shop.service",
    ),
}


@pytest.mark.parametrize(("text", "name"), OOMD.values(), ids=OOMD)
def test_systemd_oomd_of_every_version(text: str, name: str) -> None:
    event = only(text)
    assert (event.killer, category(event), whose(event)) == ("systemd-oomd", "userspace", name)
    assert event.reason


def test_a_kill_that_systemd_tells_too_is_one() -> None:
    kill = "[ 77.{}] systemd-oomd[9]: Marked /system.slice/{}.service for killing due to memory pressure for /x"
    unit = "[ 78.{}] systemd[1]: {}.service: systemd-oomd killed 2 process(es) in this unit."
    log = read("\n".join([kill.format(1, "a"), unit.format(1, "a"), unit.format(2, "b"), unit.format(3, "b")]))
    assert [whose(event) for event in log.events] == ["a.service", "b.service"]
    none = "[ 78.1] systemd[1]: a.service: systemd-oomd killed 0 process(es) in this unit."
    assert read(none).events == ()


IDLE = [
    "No cgroup candidates found for swap-based OOM action",
    "No cgroup candidates found for memory pressure-based OOM action for /user.slice",
    "Failed to kill any cgroup(s) under /user.slice based on pressure: No such process",
    "Failed to select any cgroups based on swap: Invalid argument",
    "oomd dry-run: Would have tried to kill /system.slice/a.service with recurse=true",
    "Nothing killed when attempting to kill /system.slice/a.service",
]


@pytest.mark.parametrize("text", IDLE)
def test_why_systemd_oomd_did_not_act(text: str) -> None:
    log = read(f"[ 9.5] systemd-oomd[9]: {text}")
    assert log.events == ()
    assert [(n.kind, n.name, n.detail) for n in log.notes] == [("not-killed", "systemd-oomd", text)]


def test_groups_that_were_considered_and_a_kill_that_follows_or_not() -> None:
    looked = "[ {}.5] systemd-oomd[9]: Considered 12 cgroups for killing, top candidates were:"
    kill = "[ 3.5] systemd-oomd[9]: Killed /a.slice/b.service due to memory pressure for /a.slice"
    assert read("\n".join([looked.format(2), kill])).notes == ()
    log = read("\n".join([looked.format(1), looked.format(2), kill, looked.format(4)]))
    assert [(n.stamp, n.detail) for n in log.notes] == [
        (1.5, "considered 12 control groups, and no kill follows in this log"),
        (4.5, "considered 12 control groups, and no kill follows in this log"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Memory pressure for /x is 85.03% > 80.00% for > 2s with reclaim activity",
        "Swap is currently not detected; memory pressure usage will be degraded",
        "Rule 'a' conditions met for cgroup /x for 3s, taking action kill-by-swap",
        "oomd attempting to kill 407 with KILL",
        "        Path: /system.slice/a.service",
    ],
)
def test_what_systemd_oomd_says_besides(text: str) -> None:
    log = read(f"[ 9.5] systemd-oomd[9]: {text}")
    assert (log.events, log.notes) == ((), ())


EARLYOOM = {
    "Killing process 7 firefox": ("firefox", 7, None, None, None),
    "Killing process: Web Content, pid: 7, badness: 858, VmRSS: 5 MiB": ("Web Content", 7, None, None, 5120),
    "Killing process 'a b' with signal 15, pid: 7, badness: 858, VmRSS: 5 MiB": ("a b", 7, None, None, 5120),
    'sending SIGTERM to process 7 "a "b": badness 858, VmRSS 5 MiB': ('a "b', 7, None, None, 5120),
    'sending SIGKILL to process 7 uid 1000 "tail": badness 858, VmRSS 5 MiB': ("tail", 7, 1000, None, 5120),
    'sending SIGTERM to process 7 uid 1000 "tail": oom_score 1181, oom_score_adj -200, VmRSS 5 MiB,'
    ' cmdline "tail "x": y"': ("tail", 7, 1000, -200, 5120),
}


@pytest.mark.parametrize(("text", "told"), EARLYOOM.items())
def test_earlyoom_of_every_version(text: str, told: tuple[object, ...]) -> None:
    event = only(f"Nov 22 09:43:52 host earlyoom[454]: {text}")
    (kill,) = event.kills
    assert (event.killer, category(event)) == ("earlyoom", "userspace")
    assert (kill.name, kill.pid, kill.uid, kill.oom_score_adj, kill.rss_kib) == told


SENDING = 'Nov 22 09:43:5{} host earlyoom[454]: sending {} to process {} uid 1 "a": badness 9, VmRSS 5 MiB'
SAYS = "Nov 22 09:43:5{} host earlyoom[454]: {}"


def test_a_second_signal_is_no_second_kill() -> None:
    escalated = [
        SENDING.format(1, "SIGTERM", 7),
        SAYS.format(2, "escalating to SIGKILL after 0.5 seconds"),
        SENDING.format(2, "SIGKILL", 7),
    ]
    assert len(read("\n".join(escalated)).events) == 1
    assert len(read("\n".join([*escalated, SENDING.format(3, "SIGTERM", 8)])).events) == 2


@pytest.mark.parametrize("words", ["dryrun, not actually sending any signal", "kill failed: Operation not permitted"])
def test_what_earlyoom_takes_back_was_no_kill(words: str) -> None:
    log = read("\n".join([SENDING.format(1, "SIGTERM", 7), SAYS.format(1, words), SAYS.format(2, words)]))
    assert (log.events, log.dropped, log.notes) == ((), 0, ())


@pytest.mark.parametrize(
    "words",
    [
        "Could not find a process to kill. Sleeping 1 second.",
        "memory situation has recovered while selecting victim",
        "process 7 did not exit",
    ],
)
def test_why_earlyoom_did_not_act(words: str) -> None:
    log = read(SAYS.format(1, words))
    assert (log.events, [(n.kind, n.name, n.detail) for n in log.notes]) == ((), [("not-killed", "earlyoom", words)])


def nohang(*lines: str) -> str:
    return "\n".join(f"Nov 22 09:43:52 host nohang[5]: {line}" for line in lines)


NOHANG = {
    "of today": nohang(
        "Victim status (found in 3ms):", "  PID:       7, name: a b, state: R, EUID: 1000, SID: 9 (bash), lifetime: 9s",
        "  badness:   858, oom_score:  858, oom_score_adj:  0", "  Vm, MiB:   Size: 900, RSS: 5 (Anon: 4), Swap: 1",
        "Implementing a corrective action:", "  Sending SIGTERM to the victim", "OK; total response time: 4ms",
    ),
    "of 2018": nohang(
        "Found a process with highest badness:", "  Name:    a b", "  PID:     7", "  UID:     1000",
        "  VmSize:  900 MiB", "  VmRSS:   5 MiB (Anon: 4 MiB, File: 1 MiB, Shmem: 0 MiB)",
        "Implement corrective action:", "  Sending SIGTERM to the victim; OK; response time: 3 ms",
    ),
    "of its beginning": nohang(
        "  Victim is a b, pid: 7, badness: 85, VmRSS: 5 MiB, VmSwap: 0 MiB", "  Sending SIGKILL to the victim; OK"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", NOHANG.values(), ids=NOHANG)
def test_nohang_names_its_victim_in_lines_before(text: str) -> None:
    event = only(text)
    (kill,) = event.kills
    assert (event.killer, kill.name, kill.pid, kill.rss_kib) == ("nohang", "a b", 7, 5120)


def test_nohang_in_one_line_and_after_another_victim() -> None:
    assert only(nohang("  Try to send signal 15 to a b, Pid 7, oom_score 85")).victim == (7, "a b")
    other = nohang("  PID:       9, name: x, state: R, EUID: 1", "Sending SIGTERM to the victim (Name: a, PID: 7)")
    assert only(other).victim == (7, "a")


@pytest.mark.parametrize(
    ("line", "notes"),
    [
        ("Selected process died before corrective action", 0),
        ("Cannot send a signal: PermissionError", 0),
    ],
)
def test_what_nohang_takes_back_was_no_kill(line: str, notes: int) -> None:
    log = read(nohang("  PID:       7, name: a, state: R,", "  Sending SIGTERM to the victim", line))
    assert (log.events, len(log.notes)) == ((), notes)


@pytest.mark.parametrize(
    "line", ["victim (PID: 7, Name: a) badness (3) < min_badness (10); nothing to do; response time: 3ms"]
)
def test_why_nohang_did_not_act(line: str) -> None:
    log = read(nohang(line))
    assert (log.events, [(n.kind, n.name) for n in log.notes]) == ((), [("not-killed", "nohang")])


def test_a_dry_run_of_oomd_is_told_as_none() -> None:
    log = read("[ 9.5] oomd kill: 1.0 2.0 3.0 a.slice 12345 ruleset:[x] detectorgroup:[y] killer:(dry)kill v2")
    assert (log.events, [(n.kind, n.name) for n in log.notes]) == ((), [("not-killed", "oomd")])


TALOS_TAIL = '"component": "controller-runtime", "controller": "runtime.OOMController"'
TALOS = {
    "in dmesg of talosctl": (
        (
            f"user: warning: [2026-08-11T17:20:39Z]: [talos] Sending SIGKILL to cgroup {{{TALOS_TAIL}, "
            f'"cgroup": "/sys/fs/cgroup{POD}"}}'
        ),
        POD,
    ),
    "cut short": (f'[talos] Sending SIGKILL to cgroup {{"cgroup": "/sys/fs/cgroup{POD}"}}', POD),
    "cut in front too": (f'[talos] Sending SIGKILL to cgroup {{"cgroup": "...{POD[9:]}"}}', POD[9:]),
    "on a console": (
        f'[  9.5] [talos] sending SIGKILL to cgroup {{{TALOS_TAIL}, "cgroup": "/sys/fs/cgroup/podruntime/kubelet"}}',
        "/podruntime/kubelet",
    ),
    "as text": (f"talos[1]: Sending SIGKILL to cgroup cgroup={POD}", POD),
    "a system service": (
        f'[talos] Sending SIGKILL to cgroup {{{TALOS_TAIL}, "cgroup": "/sys/fs/cgroup/system/udevd"}}',
        "/system/udevd",
    ),
}


@pytest.mark.parametrize(("text", "path"), TALOS.values(), ids=TALOS)
def test_talos_kills_a_control_group(text: str, path: str) -> None:
    event = only(text)
    assert (event.killer, category(event), event.task_memcg) == ("talos", "userspace", path)


def test_talos_that_kills_again_or_nobody() -> None:
    kill = f'[{{}}.5] [talos] Sending SIGKILL to cgroup {{{{"cgroup": "/sys/fs/cgroup{POD}"}}}}'
    assert len(read("\n".join(kill.format(n) for n in range(1, 4))).events) == 3
    failed = '[1.6] [talos] failed to send SIGKILL {"cgroup": "/sys/fs/cgroup/x", "controller": "r.OOMController"}'
    assert read(f"{kill.format(1)}\n{failed}").events == ()
    none = f'[1.5] [talos] no eligible cgroup to kill {{{TALOS_TAIL}, "ranked": 0}}'
    log = read(f"[1.4] [talos] OOM controller triggered {{{TALOS_TAIL}}}\n{none}")
    assert (log.events, [(n.kind, n.name) for n in log.notes]) == ((), [("not-killed", "talos")])


KUBELET = "Nov 22 09:43:5{} node kubelet[9]: I1122 09:43:52.123456 9 eviction_manager.go:366] {}"
NEWER = [
    '"Eviction manager: attempting to reclaim" resourceName="memory"',
    '"Eviction manager: must evict pod(s) to reclaim" resourceName="memory"',
    '"Eviction manager: pods ranked for eviction" pods=["shop/web-1","shop/db-0"]',
    '"Eviction manager: pod is evicted successfully" pod="shop/web-1"',
    '"Eviction manager: pods evicted, waiting for pod to be cleaned up" pods=["shop/web-1"]',
]
OLDER = [
    "eviction manager: attempting to reclaim memory",
    "eviction manager: must evict pod(s) to reclaim memory",
    "eviction manager: pods ranked for eviction: web-1_shop(0a1b2c3d-1111-2222-3333-444455556666)",
    "eviction manager: pod web-1_shop(0a1b2c3d-1111-2222-3333-444455556666) is evicted successfully",
]
OTHER_PROGRAM = [line.replace("kubelet[9]", "k3s[9]") for line in map(KUBELET.format, range(5), NEWER)]


@pytest.mark.parametrize(
    "lines",
    [
        [KUBELET.format(n, line) for n, line in enumerate(NEWER)],
        [KUBELET.format(n, line) for n, line in enumerate(OLDER)],
        [f"I1122 09:43:52.123456       9 eviction_manager.go:366] {line}" for line in NEWER],
        [f"I1122 09:43:52.123456       9 eviction_manager.go:366] {line}" for line in OLDER],
        OTHER_PROGRAM,
    ],
    ids=["klog 2", "klog 1", "a file of klog 2", "a file of klog 1", "k3s"],
)
def test_the_kubelet_evicts_a_pod_for_want_of_memory(lines: list[str]) -> None:
    log = read("\n".join(lines))
    (event,) = log.events
    assert (event.killer, event.unit, whose(event)) == ("kubelet", "pod shop/web-1", "pod shop/web-1")
    assert event.reason == "the node was short of memory"
    assert [(n.kind, n.name) for n in log.notes] == [("eviction", "memory")] * 2


@pytest.mark.parametrize("resource", ["ephemeral-storage", "imagefs", "inodes", "pids", "nodefs"])
def test_evictions_for_want_of_something_else_are_not_ours(resource: str) -> None:
    lines = [line.replace('"memory"', f'"{resource}"') for line in NEWER]
    log = read("\n".join(KUBELET.format(n, line) for n, line in enumerate(lines)))
    assert (log.events, log.notes) == ((), ())


def test_an_eviction_of_which_the_log_does_not_show_the_reason_is_no_event() -> None:
    log = read("\n".join(KUBELET.format(n, line) for n, line in enumerate([NEWER[3], NEWER[4]])))
    assert (log.events, [(n.kind, n.name) for n in log.notes]) == ((), [("evicted", "pod shop/web-1")])


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ('"Eviction manager: unable to evict any pods from the node"', "unable to evict any pods from the node"),
        ('"Eviction manager: cannot evict a critical pod" pod="kube-system/dns"', "critical pod: kube-system/dns"),
        ('"Eviction manager: pod failed to evict" err="timeout" pod="a/b"', "pod failed to evict"),
        ("eviction manager: cannot evict a critical static pod dns_kube-system(0a1b2c3d4e5f)", "kube-system/dns"),
        ("eviction manager: pod web-1_shop(0a1b2c3d-1111) failed to evict timeout", "failed to evict: shop/web-1"),
    ],
)  # fmt: skip
def test_what_the_kubelet_could_not_evict(line: str, detail: str) -> None:
    log = read(KUBELET.format(1, line))
    assert (log.events, [(n.kind, n.name) for n in log.notes]) == ((), [("not-killed", "kubelet")])
    assert detail in log.notes[0].detail


def test_what_the_api_says_of_an_evicted_pod() -> None:
    said = "5m  Warning  Evicted  pod/web-1  The node was low on resource: memory. Threshold quantity: 100Mi"
    event = only(said)
    assert (event.killer, event.unit) == ("kubelet", "pod web-1")
    assert event.reason.startswith("node was low on resource: memory.")
    assert only("Message: The node was low on resource: memory. Container a was using 9Ki").unit == ""
    assert read("Message: The node was low on resource: ephemeral-storage.").events == ()


CONTAINER = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        f'containerd[9]: time="2026-01-01T00:00:00Z" level=info msg="TaskOOM event container_id:\\"{CONTAINER}\\""',
        f'level=info msg="TaskOOM event &TaskOOM{{ContainerID:{CONTAINER},XXX_unrecognized:[],}}"',
        f"2026-01-01T00:00:00.000000000Z container oom {CONTAINER} (image=shop, name=web)",
        f"Nov 22 09:43:52 host conmon[5]: conmon {CONTAINER[:20]} <ninfo>: OOM event received",
        f'Nov 22 09:43:52 host containerd[9]: msg="TaskOOM event container_id:\\"{CONTAINER}\\""',
    ],
)  # fmt: skip
def test_what_a_container_runtime_says(text: str) -> None:
    log = read(text)
    assert (log.events, [(n.kind, n.name) for n in log.notes]) == ((), [("container", CONTAINER[:12])])

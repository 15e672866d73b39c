from __future__ import annotations

import subprocess
import threading

import pytest
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.swap_host import SwapHost

from memrunbook.actions.shared import swaps
from memrunbook.actions.shared.scripts import STILL_GOING
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.units import GIB, KIB, MIB

DEVICE = "/dev/not-here"
OFF = swaps.OFF + 'swap_off "$@"\n'
FITS = swaps.OFF + 'swap_fits "$@"\n'
QUIET = swaps.OFF + "swap_quiet\n"
OFF_AND_ON = 'off_and_on() { swap_off "$1" 30 && swap_on "$1" 7; }\n'
ON = swaps.ON + 'swap_on "$@"\n'


def test_what_is_on_the_device_must_fit_and_leave_a_reserve(swap_host: SwapHost) -> None:
    reserve = 8388608 // 10
    swap_host.swap("/dev/other", 1 << 30)
    swap_host.swap(DEVICE, 1000)
    swap_host.available(1001 + reserve)
    assert swap_host.do(FITS, DEVICE).status == 0
    swap_host.available(1000 + reserve)
    result = swap_host.do(FITS, DEVICE)
    assert result.status == 4
    assert (
        result.text == f"1000 KiB are on {DEVICE}, {1000 + reserve} KiB are available and {reserve} KiB must stay so\n"
    )


def test_half_a_gigabyte_stays_on_small_hosts(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 1000)
    (swap_host.folder / "proc/meminfo").write_text("MemTotal: 1048576 kB\nMemAvailable: 525288 kB\n")
    assert "524288 KiB must stay so" in swap_host.do(FITS, DEVICE).text
    (swap_host.folder / "proc/meminfo").write_text("MemTotal: 1048576 kB\nMemAvailable: 525289 kB\n")
    assert swap_host.do(FITS, DEVICE).status == 0


def test_a_kernel_that_does_not_tell_what_is_available_is_refused(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 0)
    (swap_host.folder / "proc/meminfo").write_text("MemTotal: 1048576 kB\nMemFree: 1000000 kB\n")
    assert swap_host.do(FITS, DEVICE).status == 4


def test_what_is_no_swap_is_gone(swap_host: SwapHost) -> None:
    swap_host.swap(f"{DEVICE}2", 0)
    result = swap_host.do(FITS, DEVICE)
    assert (result.status, result.text) == (3, f"{DEVICE} is no swap in use any more\n")


def test_a_calm_host_is_quiet(swap_host: SwapHost) -> None:
    assert swap_host.do(QUIET).status == 0
    (swap_host.folder / "proc/pressure/memory").unlink()
    assert swap_host.do(QUIET).status == 0


@pytest.mark.parametrize(("full", "status"), [("4.99", 0), ("5.00", 4), ("61.20", 4)])
def test_a_host_that_stalls_is_not(swap_host: SwapHost, full: str, status: int) -> None:
    pressure = swap_host.folder / "proc/pressure/memory"
    pressure.write_text(f"some avg10=99.00 avg60=1\nfull avg10={full} avg60=0.00 total=1\n")
    assert swap_host.do(QUIET).status == status


@pytest.mark.parametrize(("in_", "out", "status"), [(16, 16, 4), (5000, 15, 0), (0, 5000, 0)])
def test_a_host_that_swaps_both_ways_is_not(swap_host: SwapHost, in_: int, out: int, status: int) -> None:
    vmstat = swap_host.folder / "proc/vmstat"
    slow = swap_host.folder / "bin" / "sleep"
    slow.write_text(f"#!/bin/sh\nprintf 'pswpin %s\\npswpout %s\\n' {100 + in_} {100 + out} >{vmstat}\n")
    slow.chmod(0o755)
    result = swap_host.do(QUIET)
    assert (result.status, "thrashes" in result.text) == (status, status == 4)


def test_it_goes_off(swap_host: SwapHost) -> None:
    swap_host.swap("/dev/other")
    swap_host.swap(DEVICE, 500)
    assert swap_host.do(OFF, DEVICE, "30").status == 0
    assert swap_host.on() == ["/dev/other -2"]


def test_a_killed_swapoff_is_a_failure(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 500)
    swap_host.now("no-swapoff")
    result = swap_host.do(OFF, DEVICE, "30")
    assert (result.status, "stays swap: swapoff ended with status 137" in result.text) == (1, True)


def test_what_takes_too_long_is_stopped(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 500)
    swap_host.now("slow")
    result = swap_host.do(OFF, DEVICE, "1")
    assert (result.status, "stays swap: it took longer than 1 s" in result.text) == (1, True)
    assert swap_host.on() == [f"{DEVICE} -2"]


def test_it_is_stopped_where_memory_runs_short_meanwhile(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 500)
    swap_host.now("slow")
    swap_host.available(8388608 // 20 - 1)
    result = swap_host.do(OFF, DEVICE, "30")
    assert (result.status, "memory ran short meanwhile" in result.text) == (1, True)


def test_a_kernel_that_does_not_stop_leaves_it_unknown(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 500)
    swap_host.now("slow")
    swap_host.now("stubborn")
    try:
        result = swap_host.do(OFF.replace("swap_left=30", "swap_left=2"), DEVICE, "1")
    finally:
        (swap_host.folder / "slow").unlink()
    assert result.status == STILL_GOING
    assert "and it does not stop" in result.text


def test_its_status_is_that_of_what_it_runs(swap_host: SwapHost) -> None:
    script = swaps.OFF + "fails() { return 4; }\nswap_safely fails\n"
    assert swap_host.do(script).status == 4


def test_a_lost_connection_does_not_leave_it_off(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 500, priority=7)
    swap_host.now("slow")
    script = swap_host._here(
        f'child() {{ ( exec "$@" ); }}\n{swaps.OFF}{swaps.ON}{OFF_AND_ON}swap_safely off_and_on "$1"\n'
    )
    path = f"{swap_host.folder / 'bin'}:/usr/bin:/bin"
    with subprocess.Popen(
        [*swap_host.machine.shell, "-c", script, "sh", DEVICE],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": path, "HOST": str(swap_host.folder)},
    ) as shell:  # fmt: skip
        assert shell.stdout is not None
        assert shell.stdout.read(1) == b"."
        shell.stdout.close()
        threading.Timer(0.1, (swap_host.folder / "slow").unlink).start()
        assert shell.wait(20) == 0
    assert swap_host.on() == [f"{DEVICE} 7"]


@pytest.mark.parametrize(("priority", "words"), [("10", f"-p 10 {DEVICE}"), ("-2", DEVICE)])
def test_it_goes_on_with_its_priority(swap_host: SwapHost, priority: str, words: str) -> None:
    assert swap_host.do(ON, DEVICE, priority).status == 0
    assert swap_host.calls == [f"swapon {words}"]


def test_a_swapon_without_priorities_does_without(swap_host: SwapHost) -> None:
    swap_host.now("no-priority")
    assert swap_host.do(ON, DEVICE, "10").status == 0
    assert swap_host.on() == [f"{DEVICE} -2"]


def test_what_cannot_go_on_says_so(swap_host: SwapHost) -> None:
    swap_host.now("no-swapon")
    result = swap_host.do(ON, DEVICE, "10")
    assert (result.status, "swapon: no" in result.text) == (255, True)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"pressure.full.percent": 5.0}, "full memory pressure is 5.0 %"),
        ({"pressure.full.percent": 30.0}, "30.0 %"),
        ({"pressure.full.percent": None, "pressure.full.avg10": 7.0}, "7.0 %"),
        ({"pressure": Unavailable("absent", "no PSI"), "vmstat.allocstalls_per_second": 2.0}, "stalls"),
        ({"pressure": DENIED}, "pressure.full.avg10 is unknown"),
    ],
)
def test_a_busy_host_is_told_from_a_calm_one(changes: dict[str, object], word: str) -> None:
    found = swaps.low_pressure(host(changes))
    assert found is not None
    assert word in found.why


def test_calm_hosts_pass() -> None:
    assert swaps.low_pressure(host({"pressure.full.percent": 4.9})) is None
    assert swaps.low_pressure(host({"pressure.full.percent": None, "pressure.full.avg10": 4.9})) is None


def test_thrashing_is_both_ways() -> None:
    both = {"swap.in_bytes_per_second": 256 * KIB, "swap.out_bytes_per_second": 256 * KIB}
    found = swaps.no_thrash(host(both))
    assert found is not None
    assert "thrashes" in found.why
    assert swaps.no_thrash(host({**both, "swap.out_bytes_per_second": 256 * KIB - 1})) is None
    assert swaps.no_thrash(host({**both, "swap.in_bytes_per_second": 0})) is None
    assert swaps.no_thrash(host({"swap.in_bytes_per_second": DENIED})) is not None


def test_a_tenth_of_ram_stays_and_half_a_gigabyte() -> None:
    assert swaps.reserve(GIB) == 512 * MIB
    assert swaps.reserve(64 * GIB) == 64 * GIB // 10

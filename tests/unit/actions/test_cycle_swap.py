from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import COLD_SWAP, DENIED, host
from tests.unit.actions.swap_host import SwapHost

from memrunbook.actions.cycle_swap import SCRIPT, UNDO, CycleSwap
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, KIB, MIB

CYCLE = CycleSwap(device=COLD_SWAP.name)
DEVICE = "/dev/not-here"
USE = Use(CYCLE, {"swap.devices": [COLD_SWAP]})


def with_swap(changes: dict[str, object] | None = None, **device: Any) -> Snapshot:
    return host({"swap.devices": [msgspec.structs.replace(COLD_SWAP, **device)], **(changes or {})})


def test_cold_pages_are_brought_back() -> None:
    made = change(CYCLE, with_swap())
    assert made.summary == "Bring back 3.0 GiB from /dev/sda3: swap off and on"
    assert made.args == ("/dev/sda3", "-2", "1800")
    assert made.command == "swapoff /dev/sda3 && swapon /dev/sda3"
    assert (made.target, made.risk) == ("/dev/sda3", Risk.HIGH)
    assert made.timeout > 1800
    assert made.undo is not None
    assert (made.undo.args, made.undo.mode) == (("/dev/sda3", "-2"), "auto")
    assert made.verify is not None
    assert "priority" not in made.verify.that


def test_its_own_priority_is_kept() -> None:
    made = change(CYCLE, with_swap(priority=7))
    assert made.command == "swapoff /dev/sda3 && swapon -p 7 /dev/sda3"
    assert made.verify is not None
    assert "d.priority == 7" in made.verify.that


@pytest.mark.parametrize(
    ("total", "used", "reserve"), [(64 * GIB, 3 * GIB, 64 * GIB // 10), (GIB, MIB * 16, MIB * 512)]
)
def test_memory_must_hold_it_with_ease(total: int, used: int, reserve: int) -> None:
    memory: dict[str, object] = {"memory.total_bytes": total, "memory.available_bytes": used + reserve}
    assert "the OOM killer would come" in blocked(CYCLE, with_swap(memory, used_bytes=used))
    enough = {**memory, "memory.available_bytes": used + reserve + 1}
    assert change(CYCLE, with_swap(enough, used_bytes=used)).target == "/dev/sda3"


def test_next_to_nothing_is_left() -> None:
    assert not_needed(CYCLE, with_swap(used_bytes=16 * MIB - 1)) == "16.0 MiB are on /dev/sda3"


def test_only_swap_that_is_in_use() -> None:
    assert "is no swap in use" in blocked(CycleSwap(device="/dev/sdb1"), with_swap())
    assert "is no swap in use" in blocked(CYCLE, host())


def test_a_name_that_swapon_cannot_find_is_refused() -> None:
    name = "/swapfile (deleted)"
    assert "cannot be switched on again" in blocked(CycleSwap(device=name), with_swap(name=name))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"pressure.full.percent": 5.0}, "too busy"),
        ({"swap.in_bytes_per_second": 300 * KIB, "swap.out_bytes_per_second": 300 * KIB}, "thrashes"),
        ({"swap.in_bytes_per_second": DENIED}, "in_bytes_per_second is unknown"),
        ({"pressure": DENIED}, "pressure.full.avg10 is unknown"),
        ({"memory": DENIED}, "memory.total_bytes is unknown"),
        ({"host.root": False}, "root"),
        ({"host.container": True}, "container"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(CYCLE, with_swap(changes))


def test_the_script_takes_it_off_and_on(swap_host: SwapHost) -> None:
    swap_host.swap("/dev/other", 77)
    swap_host.swap(DEVICE, 500, priority=7)
    assert swap_host.do(SCRIPT, DEVICE, "7", "30").status == 0
    assert swap_host.calls == [f"swapoff {DEVICE}", f"swapon -p 7 {DEVICE}"]
    assert swap_host.on() == ["/dev/other -2", f"{DEVICE} 7"]


def test_an_automatic_priority_stays_automatic(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 500, priority=-3)
    assert swap_host.do(SCRIPT, DEVICE, "-3", "30").status == 0
    assert swap_host.calls == [f"swapoff {DEVICE}", f"swapon {DEVICE}"]


def test_the_script_looks_again_at_what_fits(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 5 << 20, priority=7)
    result = swap_host.do(SCRIPT, DEVICE, "7", "30")
    assert (result.status, "KiB must stay so" in result.text) == (4, True)
    assert swap_host.calls == []


def test_the_script_looks_again_at_the_pressure(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 500, priority=7)
    (swap_host.folder / "proc/pressure/memory").write_text("full avg10=12.30 avg60=0.00 avg300=0.00 total=1\n")
    result = swap_host.do(SCRIPT, DEVICE, "7", "30")
    assert (result.status, "full memory pressure is 12.30 %" in result.text) == (4, True)
    assert swap_host.calls == []


def test_what_somebody_else_has_changed_is_left_alone(swap_host: SwapHost) -> None:
    assert swap_host.do(SCRIPT, DEVICE, "7", "30").status == 3
    swap_host.swap(DEVICE, 500, priority=8)
    result = swap_host.do(SCRIPT, DEVICE, "7", "30")
    assert (result.status, "has priority 8 by now, not 7" in result.text) == (3, True)
    assert swap_host.calls == []


def test_a_device_that_does_not_go_off_is_left_on(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 500, priority=7)
    swap_host.now("no-swapoff")
    assert swap_host.do(SCRIPT, DEVICE, "7", "30").status == 1
    assert swap_host.calls == [f"swapoff {DEVICE}"]


def test_a_device_that_does_not_go_on_again_is_cried_out(swap_host: SwapHost) -> None:
    swap_host.swap(DEVICE, 500, priority=7)
    swap_host.now("no-swapon")
    result = swap_host.do(SCRIPT, DEVICE, "7", "30")
    assert (result.status, f"{DEVICE} is OFF" in result.text) == (1, True)


def test_the_undo_switches_on_what_is_off(swap_host: SwapHost) -> None:
    assert swap_host.undo(UNDO, DEVICE, "7").status == 0
    assert swap_host.on() == [f"{DEVICE} 7"]
    assert swap_host.undo(UNDO, DEVICE, "7").status == 0
    assert swap_host.calls == [f"swapon -p 7 {DEVICE}"]

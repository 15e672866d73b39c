from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import COLD_SWAP, DENIED, host
from tests.unit.actions.swap_host import SwapHost

from memrunbook.actions.setup_zram import SCRIPT, UNDO, SetupZram
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.units import GIB, MIB, Size

SETUP = SetupZram()
BYTES = str(64 * MIB)
USE = Use(SETUP)


@pytest.mark.parametrize(("ram", "mib"), [(481028 * 1024, 256), (4 * GIB, 2048), (64 * GIB, 8192)])
def test_half_of_the_ram_by_default(ram: int, mib: int) -> None:
    made = change(SETUP, host({"memory.total_bytes": ram}))
    assert made.args == (str(mib * MIB), "100", "/run/memrunbook.zram")
    assert (made.target, made.risk) == ("zram", Risk.MEDIUM)
    assert made.undo is not None
    assert (made.undo.args, made.undo.mode) == ((str(mib * MIB), "/run/memrunbook.zram", "600"), "offer")
    assert made.verify is not None
    assert made.verify.that.endswith(f">= {mib * MIB - 64 * 1024}")


def test_the_size_may_be_named() -> None:
    assert change(SetupZram(size=Size(128 * GIB)), host()).summary.startswith("Add 128.0 GiB of swap in compressed")
    assert "is no sensible size" in blocked(SetupZram(size=Size(128 * GIB + MIB)), host())
    assert "is no sensible size" in blocked(SetupZram(size=Size(15 * MIB)), host())


def test_one_is_enough() -> None:
    zram = msgspec.structs.replace(COLD_SWAP, name="/dev/zram0", zram=True)
    assert "/dev/zram0 is swap" in not_needed(SETUP, host({"swap.devices": [COLD_SWAP, zram]}))
    assert change(SETUP, host({"swap.devices": [COLD_SWAP]})).target == "zram"


def test_a_kernel_without_zswap_has_it_off() -> None:
    assert change(SETUP, host({"zswap": Unavailable("absent", "no such file")})).target == "zram"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"zswap.enabled": True}, "compressed twice"),
        ({"zswap": DENIED}, "zswap.enabled is unknown"),
        ({"memory.available_percent": 9.9}, "9.9 % of memory is available"),
        ({"memory": DENIED}, "memory.total_bytes is unknown"),
        ({"swap": DENIED}, "swap.devices is unknown"),
        ({"host.root": False}, "root"),
        ({"host.container": True}, "container"),
        ({"host.cluster_managed": True}, "cluster manager"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(SETUP, host(changes))


def test_exactly_a_tenth_available_is_enough() -> None:
    assert change(SETUP, host({"memory.available_percent": 10.0})).target == "zram"


@pytest.fixture
def zram(swap_host: SwapHost) -> Path:
    """A kernel whose next device is zram3: its folder in /sys. Its node leads to no driver at all."""
    sys, node = swap_host.folder / "sys", swap_host.folder / "dev/zram3"
    device = sys / "block/zram3"
    for folder in (device, sys / "class/zram-control", sys / "module/zswap/parameters", node.parent):
        folder.mkdir(parents=True)
    (sys / "module/zswap/parameters/enabled").write_text("N\n")
    (sys / "class/zram-control/hot_add").write_text("3\n")
    (device / "initstate").write_text("0\n")
    try:
        os.mknod(node, stat.S_IFBLK | 0o600, os.makedev(0, 0))
    except PermissionError:
        pytest.skip("making a device node needs root")
    return device


def set_up(swap_host: SwapHost) -> tuple[int, str]:
    result = swap_host.do(SCRIPT, BYTES, "100", str(swap_host.folder / "mark"))
    return result.status, result.text


def taken_back(swap_host: SwapHost) -> tuple[int, str]:
    result = swap_host.undo(UNDO, BYTES, str(swap_host.folder / "mark"), "30")
    return result.status, result.text


def removed(swap_host: SwapHost, zram: Path) -> bool:
    """The device was reset and given back, and our mark is gone."""
    control = swap_host.folder / "sys/class/zram-control/hot_remove"
    reset = zram / "reset"
    gone = not (swap_host.folder / "mark").exists()
    return gone and control.exists() and (control.read_text(), reset.read_text()) == ("3\n", "1\n")


def test_the_script_makes_a_device_and_swaps_to_it_first(swap_host: SwapHost, zram: Path) -> None:
    node = swap_host.folder / "dev/zram3"
    assert set_up(swap_host) == (0, f"{node} is swap, compressed with lz4\n")
    assert (zram / "comp_algorithm").read_text() == "lz4\n"
    assert (zram / "disksize").read_text() == f"{BYTES}\n"
    assert (swap_host.folder / "mark").read_text() == f"zram3 {BYTES}\n"
    assert swap_host.calls == [f"mkswap {node}", f"swapon -p 100 {node}"]


def test_a_kernel_with_no_choice_compresses_in_its_own_way(swap_host: SwapHost, zram: Path) -> None:
    (zram / "comp_algorithm").mkdir()
    status, text = set_up(swap_host)
    assert (status, text.endswith("compressed with what the kernel prefers\n")) == (0, True)


def test_an_old_kernel_has_the_device_that_its_module_made(swap_host: SwapHost, zram: Path) -> None:
    (swap_host.folder / "sys/class/zram-control/hot_add").unlink()
    zram.rename(zram.with_name("zram0"))
    node = swap_host.folder / "dev/zram3"
    node.rename(node.with_name("zram0"))
    assert set_up(swap_host)[0] == 0
    assert swap_host.on() == [f"{node.with_name('zram0')} 100"]


def test_a_device_of_somebody_else_is_left_alone(swap_host: SwapHost, zram: Path) -> None:
    (zram / "initstate").write_text("1\n")
    assert set_up(swap_host) == (1, "this kernel gives no zram device (module zram)\n")
    assert not (zram / "disksize").exists()


def test_a_kernel_without_the_module_says_so(swap_host: SwapHost) -> None:
    swap_host.now("no-module")
    status, text = set_up(swap_host)
    assert (status, "(module zram)" in text) == (1, True)
    assert swap_host.calls == ["modprobe zram"]


def test_the_script_looks_again_at_zswap(swap_host: SwapHost, zram: Path) -> None:
    (swap_host.folder / "sys/module/zswap/parameters/enabled").write_text("Y\n")
    status, text = set_up(swap_host)
    assert (status, "zswap is on by now" in text) == (3, True)
    assert not (zram / "disksize").exists()


def test_a_device_that_takes_no_size_is_given_back(swap_host: SwapHost, zram: Path) -> None:
    (zram / "disksize").mkdir()
    status, text = set_up(swap_host)
    assert (status, text) == (1, "zram3 took no size: the kernel has none of its ways to compress\nnothing was added\n")
    assert removed(swap_host, zram)


def test_a_node_that_does_not_appear_is_given_back(swap_host: SwapHost, zram: Path) -> None:
    (swap_host.folder / "dev/zram3").unlink()
    status, text = set_up(swap_host)
    assert (status, "dev/zram3 did not appear" in text) == (1, True)
    assert removed(swap_host, zram)


@pytest.mark.parametrize("switch", ["no-swapon", "no-mkswap"])
def test_a_failure_leaves_no_device(swap_host: SwapHost, zram: Path, switch: str) -> None:
    swap_host.now(switch)
    assert set_up(swap_host)[0] == 1
    assert removed(swap_host, zram)
    assert swap_host.on() == []


def test_the_undo_empties_and_removes_it(swap_host: SwapHost, zram: Path) -> None:
    assert set_up(swap_host)[0] == 0
    assert taken_back(swap_host)[0] == 0
    assert swap_host.on() == []
    assert removed(swap_host, zram)
    assert taken_back(swap_host) == (0, "")


def test_the_undo_never_takes_the_last_memory(swap_host: SwapHost, zram: Path) -> None:
    assert set_up(swap_host)[0] == 0
    swap_host.available(1000)
    status, text = taken_back(swap_host)
    assert (status, "KiB must stay so" in text) == (4, True)
    assert swap_host.on() == [f"{swap_host.folder / 'dev/zram3'} 100"]
    assert not (zram / "reset").exists()


def test_the_undo_removes_nothing_that_is_still_swap(swap_host: SwapHost, zram: Path) -> None:
    assert set_up(swap_host)[0] == 0
    swap_host.now("no-swapoff")
    assert taken_back(swap_host)[0] == 1
    assert not (zram / "reset").exists()


def test_the_undo_leaves_alone_what_is_not_ours(swap_host: SwapHost, zram: Path) -> None:
    assert set_up(swap_host)[0] == 0
    (zram / "disksize").write_text("4096\n")
    status, text = taken_back(swap_host)
    assert (status, "zram3 has 4096 bytes" in text) == (4, True)
    assert not (zram / "reset").exists()

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import API, DENIED, FAILED, IDLE_POOL, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.release_hugepages import SCRIPT, UNDO, ReleaseHugepages
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, MIB, Size
from memrunbook.facts.hugepages import HugepagePool

HUGE = HugepagePool("1 GiB", GIB, total=4, free=3, reserved=0, surplus=0, idle_bytes=3 * GIB)
RELEASE = ReleaseHugepages()
USE = Use(RELEASE, {"hugepages.pools": [IDLE_POOL]})


def with_pool(**changes: int) -> Snapshot:
    return host({"hugepages.pools": [HUGE, msgspec.structs.replace(IDLE_POOL, **changes)]})


def test_what_is_in_use_or_promised_stays() -> None:
    made = change(RELEASE, with_pool())
    folder = "/sys/kernel/mm/hugepages/hugepages-2048kB"
    assert made.summary == "Huge pages of 2 MiB: 1024 -> 32, 1.9 GiB come free"
    assert made.args == (folder, "32", "300")
    assert (made.target, made.risk) == ("2 MiB", Risk.HIGH)
    assert made.undo is not None
    assert made.undo.args == (folder, "32", "1024", "2048", "300")
    assert made.undo.mode == "offer"
    assert "may be fewer" in made.undo.summary
    assert made.verify is not None
    assert f"before.memory.available_bytes) >= {992 * 2 * MIB}" in made.verify.that


def test_the_size_may_be_named() -> None:
    made = change(ReleaseHugepages(size=Size(GIB)), with_pool())
    assert made.args[:2] == ("/sys/kernel/mm/hugepages/hugepages-1048576kB", "1")
    assert "no huge pages of 64.0 KiB" in blocked(ReleaseHugepages(size=Size(64 << 10)), with_pool())


def test_some_may_be_kept() -> None:
    assert change(ReleaseHugepages(keep=512), with_pool()).args[1] == "512"
    assert change(ReleaseHugepages(keep=8), with_pool()).args[1] == "32"
    assert "1024 pages of 2 MiB, and 1024 are to stay" in not_needed(ReleaseHugepages(keep=1024), with_pool())


def test_nothing_idle_is_nothing_to_release() -> None:
    assert "and 1024 are to stay" in not_needed(RELEASE, with_pool(free=8))
    assert "and 1026 are to stay" in not_needed(RELEASE, with_pool(free=8, reserved=10))


def test_a_pool_beyond_its_size_is_left_alone() -> None:
    assert "more than configured" in blocked(RELEASE, with_pool(surplus=3))


@pytest.mark.parametrize("state", ["failed", "activating"])
@pytest.mark.parametrize("unit", ["postgresql@15-main.service", "mysql.service", "libvirtd.service"])
def test_the_pool_of_a_service_that_is_down_is_kept(unit: str, state: str) -> None:
    down = msgspec.structs.replace(FAILED, name=unit, state=state, failed=state == "failed")
    now = host({"hugepages.pools": [IDLE_POOL], "units.all": [API, down]})
    assert blocked(RELEASE, now) == f"{unit} is down and may need the huge pages to start"
    up = msgspec.structs.replace(down, active=True, failed=False, state="active")
    assert change(RELEASE, host({"hugepages.pools": [IDLE_POOL], "units.all": [up, FAILED]})).risk is Risk.HIGH


def test_without_systemd_nothing_is_known_to_be_down() -> None:
    units = Unavailable("absent", "units: systemd does not run this host")
    assert change(RELEASE, host({"hugepages.pools": [IDLE_POOL], "units": units, "host.systemd": False}))


def test_a_pool_that_a_file_asks_for_is_kept() -> None:
    def asked(pages: int) -> Snapshot:
        return host({"hugepages.pools": [HUGE, IDLE_POOL], "sysctl_files.nr_hugepages": pages})

    assert "ask for 1024 pages, and only 32 would stay" in blocked(RELEASE, asked(1024))
    assert change(ReleaseHugepages(keep=1000), asked(1000)).args[1] == "1000"
    assert change(RELEASE, asked(32)).args[1] == "32"
    assert change(ReleaseHugepages(size=Size(GIB)), asked(1024)).args[1] == "1", "it asks for the default size only"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"hugepages": DENIED}, "hugepages.pools is unknown"),
        ({"memory": DENIED}, "memory.available_bytes is unknown"),
        ({"units": DENIED}, "units.all is unknown"),
        ({"sysctl_files": DENIED}, "sysctl_files.nr_hugepages is unknown"),
        ({"host.hypervisor": True}, "virtual machines"),
        ({"host.hypervisor": DENIED}, "host.hypervisor is unknown"),
        ({"host.root": False}, "root"),
        ({"host.container": True}, "container"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(RELEASE, host({"hugepages.pools": [IDLE_POOL], **changes}))


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A pool of 100 pages, 90 of them free, 4 of these promised."""
    for name, count in (("nr", 100), ("free", 90), ("resv", 4)):
        (tmp_path / f"{name}_hugepages").write_text(f"{count}\n")
    return tmp_path


def total(pool: Path) -> str:
    return (pool / "nr_hugepages").read_text()


def test_the_script_shrinks_the_pool(machine: Machine, pool: Path) -> None:
    assert machine.do(SCRIPT, str(pool), "14", "30").status == 0
    assert total(pool) == "14\n"


def test_the_script_looks_again_at_what_is_in_use(machine: Machine, pool: Path) -> None:
    result = machine.do(SCRIPT, str(pool), "13", "30")
    assert (result.status, "14 pages are in use or promised by now" in result.text) == (3, True)
    assert total(pool) == "100\n"
    result = machine.do(SCRIPT, str(pool / "none"), "14", "30")
    assert (result.status, "cannot be read" in result.text) == (3, True)


def stubborn(script: str) -> str:
    """The script on a kernel that takes the number and does nothing."""
    start, call, end = script.rpartition('"$@"')
    head, _, name = start.rpartition("\n")
    return f"{head}\nwrite_slowly() {{ :; }}\n{name}{call}{end}"


def test_a_kernel_that_keeps_more_is_a_failure(machine: Machine, pool: Path) -> None:
    result = machine.do(stubborn(SCRIPT), str(pool), "14", "30")
    assert (result.status, "kept 100 pages instead of 14" in result.text) == (1, True)


def undone(machine: Machine, pool: Path, *, kib: str = "1", script: str = UNDO) -> tuple[int, str]:
    result = machine.undo(script, str(pool), "14", "100", kib, "30")
    return result.status, result.text


def test_the_undo_fills_the_pool_again(machine: Machine, pool: Path) -> None:
    (pool / "nr_hugepages").write_text("14\n")
    assert undone(machine, pool)[0] == 0
    assert total(pool) == "100\n"
    assert undone(machine, pool) == (0, "")


def test_the_undo_leaves_alone_what_somebody_else_has_set(machine: Machine, pool: Path) -> None:
    (pool / "nr_hugepages").write_text("50\n")
    status, text = undone(machine, pool)
    assert (status, "50 pages, not 14" in text) == (4, True)
    assert undone(machine, pool / "none")[0] == 3


def test_the_undo_never_takes_the_last_memory(machine: Machine, pool: Path) -> None:
    (pool / "nr_hugepages").write_text("14\n")
    status, text = undone(machine, pool, kib=str(1 << 40))
    assert (status, "less than a tenth of RAM" in text) == (4, True)
    assert total(pool) == "14\n"


def test_the_undo_says_where_fewer_could_be_had(machine: Machine, pool: Path) -> None:
    (pool / "nr_hugepages").write_text("14\n")
    status, text = undone(machine, pool, script=stubborn(UNDO))
    assert (status, "only 14 of 100 pages" in text) == (1, True)

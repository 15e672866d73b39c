from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.facts.shell_walks import SHELLS, sampled, tree, walked

from memrunbook.core.reading.fact import Answer, Command, Reading, Sample, Samples, Unavailable, Walk
from memrunbook.facts.units import FACT, SCRIPT, Units, parse

MIB, GIB = 1 << 20, 1 << 30
WORDS = ("unit", "total", "swap", "anonymous", "file", "swap_cached")


class Memory(Reading, frozen=True, kw_only=True):
    total_bytes: int | None = None
    available_bytes: int | None = None
    shared_bytes: int | None = None
    foreign_bytes: int = 0
    kernel_bytes: int = 0
    slab_reclaimable_bytes: int | None = None


class Tmpfs(Reading, frozen=True, kw_only=True):
    used_bytes: int | None = None


class Shm(Reading, frozen=True, kw_only=True):
    orphaned_bytes: int | None = None


class Swap(Reading, frozen=True, kw_only=True):
    free_bytes: int | None = None


class Host(Reading, frozen=True, kw_only=True):
    systemd: bool | None = None


def shown(name: str, state: str = "active", **properties: str) -> str:
    lines = {"Id": name, "ActiveState": state, "ControlGroup": f"/system.slice/{name}", **properties}
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def group(name: str, anonymous: int, swap: int = 0) -> str:
    return f"unit /system.slice/{name}\ntotal {anonymous + 5}\nswap {swap}\nanonymous {anonymous}\nfile 5\n"


def sample(at: float, *groups: str, systemctl: str | Unavailable | None = None) -> Sample:
    answers = {"units": Answer("".join(groups))}
    if systemctl is not None:
        answers["systemctl"] = Answer(systemctl) if isinstance(systemctl, str) else Answer(problem=systemctl)
    return Sample(before=at, after=at, answers=answers)


def read(samples: Samples, ram: int | None = GIB) -> Units:
    reading = parse(samples, {"memory": Memory(total_bytes=ram)})
    assert isinstance(reading, Units)
    return reading


def test_services_that_run_or_failed_are_listed_the_largest_first() -> None:
    text = "\n".join(
        [
            shown("a.service", MemoryCurrent="77"),
            shown("gone.service", "inactive"),
            shown("down.service", "failed", ControlGroup="", Result="oom-kill", MemoryCurrent="[not set]"),
            shown("big.service"),
            shown("x.socket"),
        ]
    )
    found = read((sample(10.0, group("a.service", 10, 1), group("big.service", 20), systemctl=text),))

    assert [one.name for one in found.all] == ["big.service", "a.service", "down.service"]
    assert (found.count, found.failed_count) == (3, 1)
    big, a, down = found.all
    assert (a.memory_bytes, a.anonymous_bytes, a.file_bytes, a.swap_bytes, a.own_bytes) == (15, 10, 5, 1, 11)
    assert big.memory_percent == pytest.approx(100 * 20 / GIB)
    assert (down.failed, down.result, down.memory_bytes, down.memory_percent) == (True, "oom-kill", None, None)
    assert (found.growing, found.suspects) == (None, [])


def series(*sizes: int, name: str = "a.service", step: float = 5.0) -> Samples:
    text = shown(name)
    return tuple(
        sample(100.0 + place * step, group(name, size), systemctl=text if place == 0 else None)
        for place, size in enumerate(sizes)
    )


def test_a_service_that_grows_in_every_interval_is_a_suspect() -> None:
    found = read(series(40 * MIB, 50 * MIB, 60 * MIB))
    (one,) = found.all
    assert (one.growth_bytes_per_second, one.growth_share) == (2 * MIB, 1.0)
    assert found.growing == [one]
    assert found.suspects == [one]


@pytest.mark.parametrize(
    ("sizes", "ram"),
    [
        ((10 * MIB, 40 * MIB, 30 * MIB), GIB),
        ((10 * MIB, 10 * MIB, 30 * MIB), GIB),
        ((30 * MIB, 20 * MIB, 10 * MIB), GIB),
        ((10 * MIB, 15 * MIB, 20 * MIB), 64 * GIB),
        ((10 * MIB, 10 * MIB + 1000, 10 * MIB + 2000), GIB),
        ((10 * MIB, 15 * MIB, 20 * MIB), None),
    ],
)
def test_a_service_that_does_not_grow_steadily_or_fast_is_none(sizes: tuple[int, ...], ram: int | None) -> None:
    found = read(series(*sizes), ram)
    assert found.growing == []
    assert found.suspects == []


def test_one_percent_of_a_small_host_is_fast_too() -> None:
    assert read(series(10 * MIB, 12 * MIB, 14 * MIB), 1 * GIB).growing != []
    assert read(series(10 * MIB, 12 * MIB, 14 * MIB), 4 * GIB).growing == []


def test_of_the_suspects_those_that_grow_come_first_and_a_small_one_is_none() -> None:
    sizes = {"big": (400,) * 3, "leaky": (60, 80, 100), "tiny": (2, 5, 8), "calm": (92,) * 3}
    text = "\n".join(shown(f"{name}.service") for name in sizes)
    found = read(
        tuple(
            sample(
                100.0 + 5 * place,
                *(group(f"{name}.service", size[place] * MIB) for name, size in sizes.items()),
                systemctl="" if place else text,
            )
            for place in range(3)
        )
    )
    assert [one.name for one in found.suspects] == ["leaky.service", "big.service"]
    assert [one.own_share for one in found.suspects] == pytest.approx([100 / 600, 400 / 600])


def test_where_nobody_holds_anything_nobody_has_a_part_of_it() -> None:
    assert read((sample(5.0, group("a.service", 0)),)).all[0].own_share is None


LEAKER = [(10 + 12 * n) * MIB + (n % 3) * 100_000 for n in range(9)]
WARMING = [(10 + 60 * min(n, 4)) * MIB + (n % 3) * 300_000 for n in range(9)]
SAW_TOOTH = [(10 + 40 * (n % 4)) * MIB for n in range(9)]


def watched(*several: list[int], step: float = 7.5) -> Samples:
    """Services a, b, c … of these sizes, read `step` seconds apart."""
    names = [f"{letter}.service" for letter in "abcdef"[: len(several)]]
    text = "\n".join(shown(name) for name in names)
    rows = zip(*several, strict=True)
    return tuple(
        sample(100.0 + place * step, *map(group, names, sizes), systemctl="" if place else text)
        for place, sizes in enumerate(rows)
    )


def test_of_two_services_that_grow_only_the_leaker_is_growing_once_they_are_watched() -> None:
    found = read(watched(WARMING, LEAKER, SAW_TOOTH))
    assert [one.name for one in found.growing or []] == ["b.service"]
    assert [one.name for one in found.suspects] == ["b.service"]
    assert found.growing is not None
    assert found.growing[0].growth_bytes_per_second == pytest.approx(12 * MIB / 7.5, rel=0.02)
    assert (found.samples, found.watched_seconds) == (9, 60.0)
    early = read(watched(WARMING[:3], LEAKER[:3], SAW_TOOTH[:3]))
    assert {one.name for one in early.growing or []} == {"a.service", "b.service", "c.service"}
    assert (early.samples, early.watched_seconds) == (3, 15.0)


def test_a_pause_of_the_leaker_does_not_clear_it() -> None:
    paused = [*LEAKER[:4], LEAKER[3], LEAKER[3], *(size - 24 * MIB for size in LEAKER[6:])]
    assert [one.name for one in read(watched(paused)).growing or []] == ["a.service"]
    assert read(series(*paused[2:6])).growing == []


def test_a_long_watch_is_judged_by_sixty_of_its_readings_the_newest_among_them() -> None:
    sizes = [(10 + n) * MIB for n in range(361)]
    found = read(watched(sizes, step=0.5))
    assert found.all[0].growth_bytes_per_second == 2 * MIB
    assert [one.name for one in found.growing or []] == ["a.service"]


def test_what_is_left_runs_out_at_the_rate_of_growth() -> None:
    def left(available: int | None, swap: Reading) -> list[float | None]:
        samples = watched([10 * MIB, 20 * MIB], [9 * MIB, 9 * MIB], step=5.0)
        reading = parse(samples, {"memory": Memory(total_bytes=GIB, available_bytes=available), "swap": swap})
        assert isinstance(reading, Units)
        return [one.seconds_to_exhaustion for one in reading.all]

    assert left(60 * MIB, Swap(free_bytes=40 * MIB)) == [50.0, None]
    assert left(60 * MIB, Swap()) == [None, None]
    assert left(None, Swap(free_bytes=0)) == [None, None]


def test_growth_is_shared_among_those_that_grow() -> None:
    text = shown("a.service") + "\n" + shown("b.service") + "\n" + shown("c.service")
    samples = (
        sample(100.0, group("a.service", MIB), group("b.service", MIB), group("c.service", 9 * MIB), systemctl=text),
        sample(101.0, group("a.service", 10 * MIB), group("b.service", 4 * MIB), group("c.service", MIB)),
    )
    found = read(samples)
    assert {one.name: one.growth_share for one in found.all} == {"a.service": 0.75, "b.service": 0.25, "c.service": 0.0}
    assert [one.name for one in found.growing or []] == ["a.service", "b.service"]
    assert found.suspects == [], "who grows but holds next to nothing explains nothing"


@pytest.mark.parametrize(
    "samples",
    [
        (sample(1.0, systemctl=shown("a.service")), sample(6.0, group("a.service", MIB))),
        (sample(1.0, group("a.service", 1), systemctl=shown("a.service")), sample(1.01, group("a.service", MIB))),
        (
            sample(1.0, "unit /system.slice/a.service\ntotal 5\n", systemctl=shown("a.service")),
            sample(6.0, group("a.service", MIB)),
        ),
    ],
)
def test_growth_is_unknown_where_a_point_is_missing(samples: Samples) -> None:
    found = read(samples)
    assert (found.all[0].growth_bytes_per_second, found.all[0].growth_share) == (None, None)
    assert found.growing == []


def test_services_that_all_shrink_have_no_share() -> None:
    assert read(series(30 * MIB, 20 * MIB)).all[0].growth_share == 0.0


def test_a_service_with_a_third_of_ram_is_a_suspect_without_growth() -> None:
    found = read(series(308 * MIB, 308 * MIB), GIB)
    assert read(series(307 * MIB, 307 * MIB), GIB).suspects == []
    assert [one.name for one in found.suspects] == ["a.service"]


def test_without_systemctl_the_groups_still_speak() -> None:
    groups = (group("a.service", 300 * MIB), "unit /system.slice/x.slice/b.service\n")
    found = read((sample(1.0, *groups, systemctl=Unavailable("absent", "systemctl: no such program")),), GIB)
    a, b = found.all
    assert (a.name, a.active, a.state, a.can_stop, a.can_start) == ("a.service", True, "unknown", False, False)
    assert (a.anonymous_bytes, a.memory_bytes) == (300 * MIB, 300 * MIB + 5)
    assert (b.name, b.cgroup, b.memory_bytes) == ("b.service", "/system.slice/x.slice/b.service", None)
    assert found.failed_count is None


@pytest.mark.parametrize(
    ("systemctl", "host", "reason"),
    [
        (Unavailable("absent", "systemctl: no such program"), Host(), "absent"),
        ("System has not been booted with systemd as init system (PID 1). Can't operate.\n", Host(), "absent"),
        ("Failed to connect to bus: Host is down\n", Host(systemd=False), "absent"),
        ("Failed to connect to bus: Host is down\n", Host(systemd=True), "failed"),
        (None, Host(systemd=True), "failed"),
    ],
)
def test_no_systemd_no_services(systemctl: str | Unavailable | None, host: Reading, reason: str) -> None:
    reading = parse((sample(1.0, systemctl=systemctl),), {"host": host})
    assert isinstance(reading, Unavailable)
    assert reading.reason == reason


def test_lines_that_the_walk_never_prints_are_passed_over() -> None:
    text = "total 5\nbogus 1\n" + group("a.service", 10).replace("swap 0", "swap x")
    found = read((sample(1.0, text, systemctl=shown("a.service")),))
    assert (found.all[0].anonymous_bytes, found.all[0].swap_bytes, found.all[0].own_bytes) == (10, None, 10)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_groups_of_cgroup_v2(shell: tuple[str, ...], tmp_path: Path) -> None:
    stat = "anon 4096\nfile 8192\nkernel 1\nswapcached 3\ninactive_anon 2\nswapcached 1\n"
    files = {"memory.current": "12288\n", "memory.swap.current": "7\n", "memory.stat": stat}
    for path in (
        "system.slice/a.service",
        "system.slice/x.slice/b c.service",
        "user.slice/user-0.slice/user@0.service",
    ):
        tree(tmp_path / path, files)
    tree(tmp_path, {"cgroup.controllers": "memory\n", "system.slice/bare.service/cgroup.procs": ""})
    (tmp_path / "system.slice" / "file.service").write_text("no folder")

    answer = walked(shell, SCRIPT.replace("/sys/fs/cgroup", str(tmp_path)))
    found = {one.cgroup: one for one in read((sample(1.0, answer),)).all}

    assert set(found) == {
        "/system.slice/a.service",
        "/system.slice/bare.service",
        "/system.slice/x.slice/b c.service",
        "/user.slice/user-0.slice/user@0.service",
    }
    one = found["/system.slice/x.slice/b c.service"]
    assert (one.memory_bytes, one.anonymous_bytes, one.file_bytes, one.swap_bytes) == (12288, 4096, 8192, 7 - 3)
    assert one.own_bytes == 4096 + 7 - 3, "pages in memory and in swap at once count once"
    assert found["/system.slice/bare.service"].memory_bytes is None


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("swap", ["total_swap 3\n", ""])
def test_the_groups_of_cgroup_v1(shell: tuple[str, ...], swap: str, tmp_path: Path) -> None:
    stat = f"cache 1\nrss 2\nswap 9\ntotal_cache 8192\ntotal_rss 4096\n{swap}total_pgfault 5\n"
    tree(tmp_path / "memory/system.slice/a.service", {"memory.usage_in_bytes": "12288\n", "memory.stat": stat})
    tree(tmp_path / "memory/system.slice/a.service/below", {"memory.stat": ""})

    answer = walked(shell, SCRIPT.replace("/sys/fs/cgroup", str(tmp_path)))
    (one,) = read((sample(1.0, answer),)).all

    assert (one.cgroup, one.memory_bytes) == ("/system.slice/a.service", 12288)
    assert (one.anonymous_bytes, one.file_bytes, one.swap_bytes) == (4096, 8192, 3 if swap else None)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("swap", ["swap 9\n", ""])
def test_without_groups_below_the_own_pages_of_cgroup_v1_are_all(
    shell: tuple[str, ...], swap: str, tmp_path: Path
) -> None:
    stat = f"cache 1\nrss 2\n{swap}hierarchical_memory_limit 5\ntotal_cache 6\n"
    tree(tmp_path / "memory/system.slice/a.service", {"memory.usage_in_bytes": "12288\n", "memory.stat": stat})
    answer = walked(shell, SCRIPT.replace("/sys/fs/cgroup", str(tmp_path)))
    (one,) = read((sample(1.0, answer),)).all
    assert (one.anonymous_bytes, one.file_bytes, one.swap_bytes) == (2, 1, 9 if swap else None)


def later(shell: tuple[str, ...], root: Path, change: str) -> tuple[Units, str]:
    """A reading of a full sample and two later ones, changed before each, and what the last printed."""
    walk = FACT.asks[0]
    first, *more = sampled(shell, [walk], {"/sys/fs/cgroup": root}, [change, change])
    series = (first, *(Sample(first.before + 5 * n, 0.0, one.answers) for n, one in enumerate(more, start=1)))
    return read(series), more[-1].text("units") or ""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_later_sample_reads_what_may_grow(shell: tuple[str, ...], tmp_path: Path) -> None:
    unit = tmp_path / "system.slice/my app.service"
    stat = "anon 1000000\nfile 5\nswapcached 3\ninactive_anon 1\n"
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    tree(unit, {"memory.current": "9\n", "memory.swap.current": "0\n", "memory.stat": stat})
    change = f"""cd '{unit}'; read -r word size <memory.stat
printf '%s\\n' "anon $((size + 50000000))" 'file 7' 'swapcached 3' >memory.stat; echo 10 >memory.swap.current"""
    found, text = later(shell, tmp_path, change)
    assert text == "unit /system.slice/my app.service\nswap 10\nanonymous 101000000\nswap_cached 3\n"
    (one,) = found.growing or []
    assert (one.growth_bytes_per_second, one.own_bytes, one.swap_bytes) == (10_000_000, 101_000_007, 10 - 3)
    assert (one.memory_bytes, one.file_bytes) == (9, 5), "the newest that was asked for"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("below", [False, True])
def test_a_later_sample_of_cgroup_v1(shell: tuple[str, ...], below: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    unit = tmp_path / "memory/system.slice/a.service"
    tree(unit, {"memory.usage_in_bytes": "9\n", "memory.stat": "cache 1\nrss 2\nswap 3\ntotal_rss 4\ntotal_swap 5\n"})
    if below:
        tree(unit / "below", {"memory.stat": ""})
    _, text = later(shell, tmp_path, ":")
    size, swap = (4, 5) if below else (2, 3)
    assert text == f"unit /system.slice/a.service\nswap {swap}\nanonymous {size}\nswap_cached \n"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_service_that_went_away_does_not_grow(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    for name in ("a", "b"):
        tree(tmp_path / f"system.slice/{name}.service", {"memory.current": "9\n", "memory.stat": "anon 1\nfile 1\n"})
    _, text = later(shell, tmp_path, f"rm -rf {tmp_path}/system.slice/a.service")
    assert text == "unit /system.slice/b.service\nswap \nanonymous 1\nswap_cached \n"


@pytest.mark.parametrize("shell", SHELLS)
def test_this_machine_is_walked(shell: tuple[str, ...]) -> None:
    answer = walked(shell, SCRIPT)
    assert all(line.partition(" ")[0] in WORDS for line in answer.splitlines())


def test_the_questions_are_a_walk_and_one_command() -> None:
    walk, command = FACT.asks
    assert isinstance(walk, Walk)
    assert walk.each
    assert walk.again in walk.script
    assert isinstance(command, Command)
    assert command.argv[:3] == ("systemctl", "show", "--no-pager")


PIPES = "kernel {kernel}\nkernel_stack 1\nsock 2\nshmem {shmem}\nslab_reclaimable 3\n"


def deep(name: str, anonymous: int, *, kernel: int = 0, shmem: int = 0) -> str:
    words = f"total {anonymous + kernel + shmem}\nswap 0\nanonymous {anonymous}\nfile {shmem}\n"
    return f"unit /system.slice/{name}\n{words}{PIPES.format(kernel=kernel, shmem=shmem)}"


def judged(memory: Memory, *groups: str, **others: Reading | Unavailable) -> Units:
    text = "\n".join(shown(one.partition("\n")[0].rpartition("/")[2]) for one in groups)
    found = parse((sample(1.0, *groups, systemctl=text),), {"memory": memory, **others})
    assert isinstance(found, Units)
    return found


def test_who_fills_pipes_is_the_suspect_and_no_innocent() -> None:
    memory = Memory(total_bytes=480 * MIB, kernel_bytes=360 * MIB)
    found = judged(memory, deep("broker.service", 4 * MIB, kernel=343 * MIB), group("sshd.service", 11 * MIB))
    assert [one.name for one in found.suspects] == ["broker.service"]
    assert [one.name for one in found.kernel_holders] == ["broker.service"]
    assert found.all[0].own_bytes == (4 + 343) * MIB + 2 - 3


@pytest.mark.parametrize(
    ("foreign", "kernel", "suspects"),
    [(0, 0, ["big.service"]), (200, 0, []), (0, 200, []), (90, 90, []), (60, 40, ["big.service"])],
)
def test_where_a_balloon_a_driver_or_the_kernel_holds_more_no_service_is_blamed(
    foreign: int, kernel: int, suspects: list[str]
) -> None:
    memory = Memory(
        total_bytes=480 * MIB,
        foreign_bytes=foreign * MIB,
        kernel_bytes=(kernel + 30) * MIB,
        slab_reclaimable_bytes=30 * MIB,
    )
    assert [one.name for one in judged(memory, group("big.service", 150 * MIB)).suspects] == suspects


@pytest.mark.parametrize(
    ("others", "suspects"),
    [
        ({"tmpfs": Tmpfs()}, ["ssh.service"]),
        ({"tmpfs": Tmpfs(used_bytes=290 * MIB)}, []),
        ({"tmpfs": Tmpfs(used_bytes=0), "shm": Shm(orphaned_bytes=290 * MIB)}, []),
        ({"tmpfs": Unavailable("failed", "fork fails")}, []),
        ({}, []),
    ],
    ids=["a memfd", "files", "a left segment", "not asked", "not there"],
)
def test_what_outlives_a_service_is_no_reason_to_restart_it(
    others: dict[str, Reading | Unavailable], suspects: list[str]
) -> None:
    memory = Memory(total_bytes=480 * MIB, shared_bytes=300 * MIB)
    found = judged(memory, deep("ssh.service", 4 * MIB, shmem=290 * MIB), **others)
    assert [one.name for one in found.suspects] == suspects


@pytest.mark.parametrize("shell", SHELLS)
def test_who_holds_more_than_its_anonymous_memory_is_asked_what(shell: tuple[str, ...], tmp_path: Path) -> None:
    unit = tmp_path / "system.slice/broker.service"
    stat = (
        "anon 4096\nfile 5\nkernel 359661568\nkernel_stack 8\npagetables 9\nsec_pagetables 0\npercpu 1\nsock 2\n"
        "vmalloc 3\nshmem 4\nswapcached 6\ninactive_anon 7\nslab_reclaimable 10\nslab_unreclaimable 11\nslab 21\n"
    )
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    tree(unit, {"memory.current": f"{1 << 45}\n", "memory.swap.current": "9\n", "memory.stat": stat})
    small = {"memory.current": "9000\n", "memory.swap.current": "0\n", "memory.stat": stat}
    tree(tmp_path / "system.slice/small.service", small)
    found, text = later(shell, tmp_path, f"cd '{unit}'; echo {1 << 46} >memory.current")
    one, other = sorted(found.all, key=lambda service: service.name)
    assert (one.kernel_bytes, one.shared_bytes, one.swap_bytes) == (359661568 + 2, 4, 9 - 6)
    assert one.own_bytes == 4096 + 359661568 + 2 - 10 + 9 - 6
    assert one.memory_bytes == 1 << 46, "the newest"
    assert (other.kernel_bytes, other.own_bytes) == (None, 4096)
    assert text.count("\n") == 15 + 4, "of the small one not a line more"


@pytest.mark.parametrize("shell", SHELLS)
def test_cgroup_v1_tells_shared_memory(shell: tuple[str, ...], tmp_path: Path) -> None:
    stat = "cache 3000000\nrss 2\nrss_huge 0\nshmem 2000000\nmapped_file 0\nswap 0\n"
    unit = tmp_path / "memory/system.slice/a.service"
    tree(unit, {"memory.usage_in_bytes": "9000000\n", "memory.stat": stat})
    found, text = later(shell, tmp_path, ":")
    assert text == "unit /system.slice/a.service\nswap 0\nanonymous 2\nswap_cached \nshmem 2000000\n"
    assert (found.all[0].shared_bytes, found.all[0].kernel_bytes) == (2000000, None)

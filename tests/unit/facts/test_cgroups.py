from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.facts.shell_walks import SHELLS, sampled, tree, walked

from memrunbook.core.reading.fact import Answer, Detail, Read, Reading, Sample, Samples, Unavailable, Walk
from memrunbook.facts import cgroups
from memrunbook.facts.cgroups import FACT, NO_GROUPS, SWITCHED_OFF, CgroupsReading, parse
from memrunbook.facts.shared.group import Group
from memrunbook.facts.shared.group_walk import MOST_SEEN, SCRIPT

MIB = 1 << 20
HEX = "a59e4e7d3090c04c6ce5a4b7a8bc85228eb9b96ac00b1284643a8c7c11dda661"
V2 = "version 2 cpu memory pids\n"


def said(path: str, **values: str | int) -> str:
    return f"group {path}\n" + "".join(f"{word} {value}\n" for word, value in values.items())


def sample(at: float, *groups: str, head: str = V2) -> Sample:
    return Sample(before=at, after=at, answers={"cgroups": Answer(head + "".join(groups) + "seen 9\n")})


def read(*samples: Sample) -> CgroupsReading:
    reading = parse(samples, {})
    assert isinstance(reading, CgroupsReading)
    return reading


def one(*samples: Sample) -> Group:
    (group,) = read(*samples).all
    return group


def test_what_a_group_holds() -> None:
    group = one(
        sample(
            5.0,
            said(
                "/system.slice/my\\x2dapp.service",
                usage=100 * MIB,
                limit=200 * MIB,
                high_limit=125 * MIB,
                swap_limit=0,
                swap=7,
                anon=1,
                file=2,
                shmem=3,
                kernel=4,
                slab_unreclaimable=5,
                file_dirty=6,
                file_writeback=7,
                inactive_file=25 * MIB,
                oom_kill=8,
                oom_group=1,
                pids=9,
                pids_limit="max",
            ),
        )
    )
    assert (group.name, group.kind, group.unit) == ("my-app.service", "service", "my\\x2dapp.service")
    assert (group.usage_bytes, group.anonymous_bytes, group.file_bytes, group.shared_bytes) == (100 * MIB, 1, 2, 3)
    assert (group.kernel_bytes, group.unreclaimable_slab_bytes, group.dirty_bytes, group.swap_bytes) == (4, 5, 13, 7)
    assert (group.limit_bytes, group.high_bytes, group.swap_max_bytes) == (200 * MIB, 125 * MIB, 0)
    assert (group.limit_set, group.high_set, group.swap_max_set) == (True, True, True)
    assert (group.usage_percent, group.working_set_bytes, group.working_set_percent) == (80.0, 75 * MIB, 60.0)
    assert (group.oom_kills, group.oom_group, group.pids, group.pids_max) == (8, True, 9, None)


def test_what_is_not_there_is_missing() -> None:
    group = one(sample(5.0, said("/a", usage="x", limit="?", oom_group="2")))
    found = {name: getattr(group, name) for name in Group.__struct_fields__}
    assert found.pop("pids_max_set") is False
    assert {name for name, value in found.items() if value is not None} == {"path", "name", "kind", "unit", "container"}


def test_a_limit_of_processes_is_known_by_itself() -> None:
    """So that a condition need not ask for what a group without a limit does not have."""
    assert one(sample(5.0, said("/a", pids=3, pids_limit=4))).pids_max_set is True
    assert one(sample(5.0, said("/a", pids=3, pids_limit="max"))).pids_max_set is False


def test_a_working_set_is_never_below_nothing() -> None:
    assert one(sample(5.0, said("/a", usage=5, inactive_file=9))).working_set_bytes == 0


def test_kernels_that_have_no_sum_of_kernel_memory_have_its_parts() -> None:
    parts = {"kernel_stack": 1, "pagetables": 2, "percpu": 4, "slab_reclaimable": 8, "slab_unreclaimable": 16}
    assert one(sample(5.0, said("/a", **parts))).kernel_bytes == 31
    assert one(sample(5.0, said("/a", kernel=3, **parts))).kernel_bytes == 3


def test_cgroup_v1_counts_swap_with_memory() -> None:
    values: dict[str, str | int] = {
        "limit": 4 * MIB,
        "memsw_limit": 6 * MIB,
        "high_limit": "max",
        "usage": MIB,
        "total_inactive_file": 0,
    }
    group = one(sample(5.0, said("/a", total_rss=1, total_cache=2, total_swap=3, **values), head="version 1 \n"))
    assert (group.swap_max_bytes, group.swap_max_set) == (2 * MIB, True)
    assert (group.anonymous_bytes, group.file_bytes, group.swap_bytes) == (1, 2, 3)
    assert (group.high_bytes, group.high_set, group.usage_percent) == (None, False, 25.0)


def test_the_largest_number_of_cgroup_v1_means_no_limit() -> None:
    none = 9223372036854771712
    group = one(sample(5.0, said("/a", limit=none, memsw_limit=none, usage=5), head="version 1 \n"))
    assert (group.limit_bytes, group.limit_set, group.swap_max_bytes, group.swap_max_set) == (None, False, None, False)
    assert group.usage_percent is None


def pair(**steps: int) -> Group:
    """A group with half of its limit used whose counters rise so far in ten seconds."""
    values = {"usage": 50 * MIB, "limit": 100 * MIB}
    before = said("/a", **values, **dict.fromkeys(steps, 1000))
    return one(
        sample(10.0, before), sample(20.0, said("/a", **values, **{word: 1000 + s for word, s in steps.items()}))
    )


def test_counters_become_rates_over_all_samples() -> None:
    group = pair(max=20, high=30, oom_kill=2, some=1_000_000, full=500_000)
    assert (group.limit_hits_per_second, group.high_hits_per_second) == (2.0, 3.0)
    assert (group.oom_kills, group.oom_kills_in_sample) == (1002, 2)
    assert (group.some_percent, group.full_percent) == (10.0, 5.0)
    assert pair(full=99_000_000).full_percent == 100.0


def test_a_group_made_anew_between_two_samples_has_no_rate() -> None:
    group = pair(max=-1, full=-1, oom_kill=-1)
    assert (group.limit_hits_per_second, group.full_percent, group.oom_kills_in_sample) == (None, None, None)


def test_a_group_that_is_new_or_sampled_at_once_has_no_rate() -> None:
    new = read(sample(1.0, said("/b", max=1)), sample(9.0, said("/a", max=5))).all
    assert [(group.path, group.limit_hits_per_second) for group in new] == [("/a", None)]
    assert one(sample(1.0, said("/a", max=1)), sample(1.01, said("/a", max=5))).limit_hits_per_second is None


def pressed(used: int, cache: int, **steps: int) -> bool:
    """Whether a group with a limit of 100 MiB is, of which `cache` is file cache, in use or not."""
    values = {"usage": used * MIB, "limit": 100 * MIB, "inactive_file": 0, "anon": (used - cache) * MIB}
    before = said("/a", **values, **dict.fromkeys(steps, 0))
    return bool(read(sample(10.0, before), sample(20.0, said("/a", **values, **steps))).pressed)


@pytest.mark.parametrize(
    ("used", "cache", "steps", "expected"),
    [
        (95, 5, {"max": 1}, True),
        (95, 5, {"high": 1}, True),
        (90, 10, {"max": 1}, True),
        (89, 0, {"max": 1000}, False),
        (95, 5, {"max": 0, "full": 999_999}, False),
        (100, 0, {}, False),
        (100, 100, {"max": 100_000, "full": 900_000}, False),
        (100, 21, {"max": 100_000}, False),
        (95, 5, {"full": 1_000_000}, True),
        (95, 5, {"full": 999_999}, False),
        (100, 90, {"max": 100_000, "full": 3_000_000}, False),
        (100, 90, {"full": 1_000_000, "restored": 100}, True),
        (100, 90, {"full": 1_000_000, "restored": 99}, False),
        (100, 90, {"full": 999_999, "restored": 100}, False),
        (89, 0, {"full": 9_000_000}, False),
    ],
)
def test_a_group_is_pressed_that_hits_its_limit_with_what_cannot_go(
    used: int, cache: int, steps: dict[str, int], *, expected: bool
) -> None:
    assert pressed(used, cache, **steps) is expected


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"anon": 80}, True),
        ({"anon": 50, "shmem": 20, "kernel": 10}, True),
        ({"anon": 50, "kernel_stack": 20, "slab_unreclaimable": 10}, True),
        ({"total_rss": 50, "total_shmem": 30}, True),
        ({"anon": 50, "shmem": 19, "kernel": 10}, False),
        ({"anon": 25, "file": 75, "inactive_file": 10, "kernel": 1}, False),
    ],
)
def test_what_is_no_file_cache_presses(held: dict[str, int], *, expected: bool) -> None:
    values = {"usage": 100, "limit": 100, **held}
    start, end = (sample(at, said("/a", **values, max=hits)) for at, hits in ((10.0, 0), (20.0, 50)))
    assert bool(read(start, end).pressed) is expected


def test_without_knowing_what_it_holds_only_pages_read_again_press() -> None:
    def after(**steps: int) -> bool:
        values = {"usage": 100, "limit": 100}
        start = said("/a", **values, **dict.fromkeys(steps, 0))
        return bool(read(sample(10.0, start), sample(20.0, said("/a", **values, **steps))).pressed)

    assert after(full=9_000_000, restored=1000)
    assert not after(full=9_000_000, max=100)


def test_the_worst_is_first_among_the_pressed_and_the_largest_among_all() -> None:
    def group(path: str, usage: int, full: int) -> str:
        return said(path, usage=usage, limit=usage, anon=usage, max=full, full=full)

    found = read(
        sample(10.0, group("/calm", 99, 0), group("/mild", 5, 0), group("/bad", 7, 0)),
        sample(20.0, group("/calm", 99, 0), group("/mild", 5, 2_000_000), group("/bad", 7, 5_000_000)),
    )
    assert [one.path for one in found.pressed or []] == ["/bad", "/mild"]
    assert [one.path for one in found.all] == ["/calm", "/bad", "/mild"]


def test_pressed_is_unknown_after_one_sample() -> None:
    found = read(sample(5.0, said("/a", usage=1, limit=1)))
    assert found.pressed is None
    assert found.unavailable["pressed"].reason == "failed"


def test_a_reading_says_how_many_groups_it_left_out() -> None:
    found = read(sample(5.0, said("/a"), said("/b")))
    assert (found.version, found.seen, found.shown) == (2, 9, 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", NO_GROUPS),
        ("version 3 memory\n", NO_GROUPS),
        ("version 2 cpu pids\nseen 0\n", SWITCHED_OFF),
    ],
)
def test_hosts_whose_groups_count_no_memory(text: str, expected: Unavailable) -> None:
    assert parse((Sample(1.0, 1.0, {"cgroups": Answer(text)}),), {}) == expected


@pytest.mark.parametrize("head", ["version 2 memory\n", "version 1 \n"])
def test_hosts_without_a_group_are_read(head: str) -> None:
    assert read(sample(1.0, head=head)).all == []


def test_a_walk_that_was_not_answered_is_no_reading() -> None:
    late = Unavailable("timeout", "cgroups: no answer in 60 s")
    assert parse((Sample(1.0, 1.0, {"cgroups": Answer(problem=late)}),), {}) == late


def test_a_later_walk_that_was_lost_is_passed_over() -> None:
    assert read(sample(1.0, said("/a")), Sample(9.0, 9.0, {})).shown == 1


STAT = (
    "anon 4096\nfile 8192\nkernel 5\nkernel_stack 1\nshmem 6\nfile_dirty 2\nfile_writeback 3\ninactive_file 7\n"
    "slab_reclaimable 8\nslab_unreclaimable 9\nslab 17\nworkingset_refault_file 50\nworkingset_restore_file 30\n"
    "pgfault 1\n"
)
EVENTS = "low 0\nhigh 11\nmax 12\noom 1\noom_kill 13\noom_group_kill 0\n"
PRESSURE = "some avg10=0.00 avg60=0.00 avg300=0.00 total=21\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=22\n"


def made(below: int = 0, /, **files: str) -> dict[str, str]:
    """The files of a group of cgroup v2."""
    return {
        "memory.current": "12582912\n",
        "memory.max": "max\n",
        "memory.high": "max\n",
        "cgroup.stat": f"nr_descendants {below}\nnr_dying_descendants 0\n",
        **{name.replace("_", "."): text for name, text in files.items()},
    }


def script_on(root: Path) -> str:
    """The walk alone, on a tree of files and a host of 512 MiB: 1 MiB is worth a look."""
    tree(root / "proc", {"meminfo": "MemTotal: 524288 kB\n"})
    return SCRIPT.replace("/sys/fs/cgroup", str(root)).replace("/proc/", f"{root}/proc/")


def samples_of(shell: tuple[str, ...], root: Path, *between: str) -> Samples:
    script_on(root)
    moved = {"/sys/fs/cgroup": root, "/proc/meminfo": root / "proc/meminfo", "/proc/pressure": root / "proc/pressure"}
    return sampled(shell, FACT.asks, moved, between)


def details_of(shell: tuple[str, ...], root: Path) -> str:
    return samples_of(shell, root)[0].text("cgroup-details") or ""


def looked(shell: tuple[str, ...], root: Path) -> dict[str, Group]:
    return {group.path: group for group in read(*samples_of(shell, root)).all}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_groups_of_cgroup_v2(shell: tuple[str, ...], tmp_path: Path) -> None:
    root = tmp_path
    tree(root, {"cgroup.controllers": "cpu memory\n", "cgroup.stat": "nr_descendants 4\n"})
    tree(root / "system.slice", made(3))
    more: dict[str, str] = {"memory_stat": STAT, "memory_events": EVENTS, "memory_pressure": PRESSURE}
    tree(
        root / "system.slice/we b\\x2d*.service",
        made(**more, memory_swap_current="7\n", memory_swap_max="99\n", memory_oom_group="0\n")
        | {"memory.max": "16777216\n", "memory.high": "33554432\n", "pids.current": "3\n", "pids.max": "50\n"},
    )
    tree(root / "system.slice/local.service", made(**more, memory_events_local="high 1\nmax 2\noom_kill 3\n"))
    tree(root / "system.slice/no-memory.service", {"cgroup.procs": ""})
    tree(root / "system.slice/no-memory.service/below.service", made())

    found = looked(shell, root)

    assert set(found) == {"/system.slice", "/system.slice/we b\\x2d*.service", "/system.slice/local.service"}
    group = found["/system.slice/we b\\x2d*.service"]
    assert (group.usage_bytes, group.limit_bytes, group.high_bytes, group.swap_max_bytes) == (
        12 * MIB,
        16 * MIB,
        32 * MIB,
        99,
    )
    assert (group.anonymous_bytes, group.file_bytes, group.kernel_bytes, group.dirty_bytes) == (4096, 8192, 5, 5)
    assert (group.shared_bytes, group.unreclaimable_slab_bytes, group.swap_bytes) == (6, 9, 7)
    assert (group.working_set_bytes, group.oom_kills, group.oom_group) == (12 * MIB - 7, 13, False)
    assert (group.pids, group.pids_max, group.usage_percent) == (3, 50, 75.0)
    assert (found["/system.slice"].limit_set, found["/system.slice"].anonymous_bytes) == (False, None)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_counters_of_cgroup_v2_are_the_groups_own_where_it_has_them(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    tree(tmp_path / "a.slice", made(memory_events=EVENTS, memory_pressure=PRESSURE))
    tree(tmp_path / "b.slice", made(memory_events=EVENTS, memory_events_local="high 1\nmax 2\noom_kill 3\n"))
    text = details_of(shell, tmp_path)
    a, b = (part.split("\n")[1:] for part in text.split("group ")[1:])
    assert {"high 11", "max 12", "oom_kill 13", "some 21", "full 22"} <= set(a)
    assert {"high 1", "max 2", "oom_kill 13"} <= set(b)
    assert not {"high 11", "max 12", "oom_kill 3"} & set(b)


@pytest.mark.parametrize("shell", SHELLS)
def test_pages_read_again_are_asked_of_groups_near_a_limit_only(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    near = {"memory.max": "12582912\n", "memory.stat": STAT}
    tree(tmp_path / "near.service", made() | near)
    tree(tmp_path / "older.service", made() | near | {"memory.stat": "slab_unreclaimable 9\nworkingset_restore 31\n"})
    tree(tmp_path / "far.service", made() | {"memory.stat": STAT})
    text = details_of(shell, tmp_path)
    first, second, far = (part.split("\n")[1:] for part in text.split("group ")[1:])
    assert "restored 30" in first
    assert "restored 31" in second
    assert far[-2:] == ["slab_unreclaimable 9", ""]


@pytest.mark.parametrize("shell", SHELLS)
def test_small_groups_are_counted_only(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    small = made() | {"memory.current": "1048575\n"}
    tree(tmp_path / "a.mount", small)
    tree(tmp_path / "b.mount", made() | {"memory.current": "1048576\n"})
    tree(tmp_path / "c.scope", small)
    tree(tmp_path / "d.mount", small | {"memory.max": "16777216\n"})
    text = walked(shell, script_on(tmp_path))
    found = read(Sample(1.0, 1.0, {"cgroups": Answer(text)}))
    assert {group.path for group in found.all} == {"/b.mount", "/c.scope", "/d.mount"}
    assert found.seen == 4


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("limits", [("14000000", "max"), ("16777216", "8388608"), ("max", "14000000")])
def test_groups_near_a_limit_come_before_all_others(
    shell: tuple[str, ...], limits: tuple[str, str], tmp_path: Path
) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    for number in range(205):
        tree(tmp_path / f"a{number}.service", made())
    tree(tmp_path / "b.scope", made())
    tree(tmp_path / "docker" / HEX, made())
    tree(tmp_path / "docker", made(1))
    tree(tmp_path / "y.service", made() | {"memory.max": "1073741824\n"})
    limit, high = limits
    tree(tmp_path / "z.service", made() | {"memory.max": f"{limit}\n", "memory.high": f"{high}\n"})
    text = walked(shell, script_on(tmp_path))
    paths = [line.removeprefix("group ") for line in text.split("\n") if line.startswith("group ")]
    assert paths[:4] == ["/z.service", "/y.service", "/b.scope", f"/docker/{HEX}"]
    assert len(paths) == 200
    assert text.endswith("seen 210\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_walk_goes_six_levels_deep_and_looks_only_where_groups_are(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    path = tmp_path
    for level in range(1, 8):
        path /= f"{level}.slice"
        tree(path, made(1))
    tree(tmp_path / "leaf.slice", made(0))
    tree(tmp_path / "leaf.slice/hidden.slice", made(0))
    found = looked(shell, tmp_path)
    assert len(found) == 7
    assert "/1.slice/2.slice/3.slice/4.slice/5.slice/6.slice" in found
    assert "/leaf.slice/hidden.slice" not in found


@pytest.mark.parametrize("shell", SHELLS)
def test_the_walk_ends_where_groups_are_without_number(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    for number in range(9):
        tree(tmp_path / f"a{number}.slice", made(1))
        tree(tmp_path / f"a{number}.slice/b.slice", made())
    script = script_on(tmp_path).replace(str(MOST_SEEN), "5")
    found = read(Sample(1.0, 1.0, {"cgroups": Answer(walked(shell, script))}))
    assert (found.seen, found.shown) == (5, 5)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["memory.current", "memory.max", "memory.high", "memory.stat", "memory.events"])
@pytest.mark.parametrize("text", ["", "?\n"])
def test_a_group_that_vanishes_while_it_is_read_does_not_end_the_shell(
    shell: tuple[str, ...], name: str, text: str, tmp_path: Path
) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    tree(tmp_path / "a.slice", made() | {name: text})
    tree(tmp_path / "b.slice", made())
    expected = {"/b.slice"} if name == "memory.current" else {"/a.slice", "/b.slice"}
    assert set(looked(shell, tmp_path)) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_the_own_group_of_a_container_is_the_root(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n", **made(), "memory.max": "16777216\n"})
    group = looked(shell, tmp_path)["/"]
    assert (group.name, group.kind, group.usage_percent) == ("/", "other", 75.0)


NONE = "9223372036854771712\n"
V1_STAT = (
    "cache 1\nrss 2\nhierarchical_memory_limit 3\ntotal_cache 8192\ntotal_rss 4096\ntotal_shmem 6\ntotal_dirty 2\n"
    "total_writeback 3\ntotal_swap 7\ntotal_inactive_file 9\ntotal_unevictable 1\n"
)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_groups_of_cgroup_v1(shell: tuple[str, ...], tmp_path: Path) -> None:
    plain = {"memory.usage_in_bytes": "12582912\n", "memory.limit_in_bytes": NONE}
    tree(tmp_path / "memory", plain)
    tree(tmp_path / "memory/system.slice", plain)
    limited = {
        "memory.usage_in_bytes": "12582912\n",
        "memory.limit_in_bytes": "16777216\n",
        "memory.memsw.limit_in_bytes": "20971520\n",
        "memory.failcnt": "5\n",
        "memory.kmem.usage_in_bytes": "77\n",
        "memory.kmem.limit_in_bytes": "154\n",
        "memory.kmem.failcnt": "6\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
        "memory.stat": V1_STAT,
    }
    tree(tmp_path / "memory/system.slice/web.service", limited)
    tree(tmp_path / "memory/system.slice/web.service/below", plain)
    tree(tmp_path / "pids/system.slice/web.service", {"pids.current": "3\n", "pids.max": "max\n"})

    found = looked(shell, tmp_path)

    assert set(found) == {"/system.slice", "/system.slice/web.service"}
    group = found["/system.slice/web.service"]
    assert (group.anonymous_bytes, group.file_bytes, group.shared_bytes, group.swap_bytes) == (4096, 8192, 6, 7)
    assert (group.kernel_bytes, group.dirty_bytes, group.working_set_bytes) == (77, 5, 12 * MIB - 9)
    assert (group.kernel_limit_bytes, group.kernel_limit_percent, group.kernel_limit_failures) == (154, 50.0, 6)
    assert (group.limit_bytes, group.swap_max_bytes, group.usage_percent) == (16 * MIB, 4 * MIB, 75.0)
    assert (group.oom_kills, group.pids, group.pids_max, group.high_set) == (4, 3, None, False)
    assert (found["/system.slice"].limit_set, found["/system.slice"].oom_kills) == (False, None)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_host_without_control_groups_prints_nothing(shell: tuple[str, ...], tmp_path: Path) -> None:
    assert walked(shell, script_on(tmp_path)) == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_is_left_as_it_was(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    tree(tmp_path / "a.slice", made())
    walk = script_on(tmp_path)
    text = walked(
        shell, f"{walk}set -- a b\nprintf '%s' $# $* {tmp_path}/*.slice\nread -r one two <<E\nx y\nE\necho $two"
    )
    assert text.endswith(f"2ab{tmp_path}/a.slicey\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_this_machine_is_walked(shell: tuple[str, ...]) -> None:
    reading = parse((Sample(1.0, 1.0, {"cgroups": Answer(walked(shell, SCRIPT))}),), {})
    if isinstance(reading, Unavailable):
        assert reading in (NO_GROUPS, SWITCHED_OFF)
    else:
        assert all(group.usage_bytes is not None for group in reading.all)


LATER = "later.service"


def later(shell: tuple[str, ...], root: Path, between: str) -> tuple[Group, str]:
    """A group after a full and a later sample of version 2, and what the later one printed."""
    tree(root, {"cgroup.controllers": "memory\n", "proc/pressure/memory": "some avg10=0 avg60=0 avg300=0 total=5\n"})
    first, last = samples_of(shell, root, f"cd {root}/{LATER}\n{between}\ncd {root}\n")
    assert last.answers.keys() == {"cgroups"}
    last = Sample(first.before + 10, first.before + 10, last.answers)
    (group,) = read(first, last).all
    return group, last.text("cgroups") or ""


STALLED = "printf 'some avg10=0 avg60=0 avg300=0 total=6\\n' >../proc/pressure/memory"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_later_sample_reads_what_moves(shell: tuple[str, ...], tmp_path: Path) -> None:
    files = made(memory_stat=STAT, memory_events=EVENTS, memory_pressure=PRESSURE, memory_swap_current="7\n")
    tree(tmp_path / LATER, files | {"memory.max": "16777216\n", "pids.current": "3\n"})
    change = f"""{STALLED}
printf '14000000\\n' >memory.current; printf '%s\\n' 'high 11' 'max 32' 'oom_kill 15' >memory.events
printf '%s\\n' 'some a b c total=1000021' 'full a b c total=500022' >memory.pressure"""
    group, text = later(shell, tmp_path, change)
    assert text.split("\n")[1:] == [
        f"group /{LATER}", "usage 14000000", "some 1000021", "full 500022", "high 11", "max 32", "oom_kill 15",
        "seen 1", "",
    ]  # fmt: skip
    assert (group.usage_bytes, group.limit_bytes, group.swap_bytes, group.pids) == (14_000_000, 16 * MIB, 7, 3)
    assert (group.anonymous_bytes, group.limit_hits_per_second, group.high_hits_per_second) == (4096, 2.0, 0.0)
    assert (group.oom_kills, group.oom_kills_in_sample, group.some_percent, group.full_percent) == (15, 2, 10.0, 5.0)
    assert group.file_restores_per_second is None


@pytest.mark.parametrize("shell", SHELLS)
def test_a_group_that_comes_near_its_limit_is_read_in_full(shell: tuple[str, ...], tmp_path: Path) -> None:
    files = made(memory_stat=STAT, memory_events=EVENTS, memory_events_local="high 1\nmax 2\noom_kill 3\n")
    tree(tmp_path / LATER, files | {"memory.max": "16777216\n"})
    change = "echo 16000000 >memory.current; printf 'anon 15000000\\nworkingset_restore_file 130\\n' >memory.stat"
    group, text = later(shell, tmp_path, change)
    assert {"anon 15000000", "restored 130", "max 2", "oom_kill 13"} <= set(text.split("\n"))
    assert (group.anonymous_bytes, group.file_bytes, group.limit_hits_per_second) == (15_000_000, 8192, 0.0)


@pytest.mark.parametrize("shell", SHELLS)
def test_of_a_group_without_a_limit_only_pressure_moves(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path / LATER, made(memory_events=EVENTS, memory_pressure=PRESSURE))
    group, text = later(shell, tmp_path, f"{STALLED}; echo 13000000 >memory.current")
    assert text.split("\n")[1:] == [f"group /{LATER}", "usage 13000000", "some 21", "full 22", "seen 1", ""]
    assert (group.usage_bytes, group.limit_hits_per_second, group.full_percent) == (13_000_000, 0.0, 0.0)


@pytest.mark.parametrize("shell", SHELLS)
def test_where_nobody_waited_no_group_did(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path / LATER, made(memory_pressure=PRESSURE))
    group, text = later(shell, tmp_path, "echo 13000000 >memory.current")
    assert "some" not in text
    assert (group.some_percent, group.full_percent) == (0.0, 0.0)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_group_that_went_away_is_left_out(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    tree(tmp_path / "a.slice", made())
    tree(tmp_path / "b.slice", made())
    first, last = samples_of(shell, tmp_path, f"rm -r {tmp_path}/a.slice")
    assert [group.path for group in read(first, last).all] == ["/b.slice"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_later_sample_of_cgroup_v1(shell: tuple[str, ...], tmp_path: Path) -> None:
    near = {
        "memory.usage_in_bytes": "16000000\n",
        "memory.limit_in_bytes": "16777216\n",
        "memory.failcnt": "5\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
        "memory.stat": V1_STAT,
    }
    tree(tmp_path / "memory/a.service", near)
    first, last = samples_of(shell, tmp_path, f"echo 25 >{tmp_path}/memory/a.service/memory.failcnt")
    text = last.text("cgroups") or ""
    assert {"usage 16000000", "max 25", "oom_kill 4", "total_rss 4096", "total_inactive_file 9"} <= set(
        text.split("\n")
    )
    (group,) = read(first, Sample(first.before + 10, first.before + 10, last.answers)).all
    assert (group.limit_hits_per_second, group.oom_kills_in_sample, group.some_percent) == (2.0, 0, None)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_later_sample_without_control_groups_prints_nothing(shell: tuple[str, ...], tmp_path: Path) -> None:
    assert samples_of(shell, tmp_path, ":")[-1].text("cgroups") == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_pressure_that_cannot_be_read_is_not_asked_for(shell: tuple[str, ...], tmp_path: Path) -> None:
    """Without PSI the kernel refuses the read, at which mawk would end."""
    tree(tmp_path, {"cgroup.controllers": "memory\n"})
    tree(tmp_path / "a.slice", made(memory_stat=STAT))
    (tmp_path / "a.slice/memory.pressure").mkdir()
    text = details_of(shell, tmp_path)
    assert "inactive_file 7" in text
    assert "some" not in text


class Vmstat(Reading, frozen=True, kw_only=True):
    oom_kills_in_sample: int | None = None


@pytest.mark.parametrize(("kills", "expected"), [(0, 0), (1, None), (None, None)])
def test_whether_one_of_a_group_without_a_limit_was_killed(kills: int | None, expected: int | None) -> None:
    samples = sample(1.0, said("/a", usage=5, oom_kill=2)), sample(9.0, said("/a", usage=6))
    reading = parse(samples, {"vmstat": Vmstat(oom_kills_in_sample=kills)})
    assert isinstance(reading, CgroupsReading)
    (group,) = reading.all
    assert (group.oom_kills, group.oom_kills_in_sample) == (2, expected)


def test_the_question_is_a_walk_at_every_sample_and_details_once() -> None:
    walk, stat, details = FACT.asks
    assert stat == Read(cgroups.STAT)
    assert isinstance(walk, Walk)
    assert walk.each
    assert walk.again in walk.script
    assert isinstance(details, Detail)


def test_a_read_that_follows_another_has_the_rates_since_then() -> None:
    whole = "usage 950000\nlimit 1000000\nhigh_limit max\n"

    def details(hits: int, stalled: int) -> str:
        return f"group /a.service\nmax {hits}\nrestored 7\noom_kill 0\nsome 0\nfull {stalled}\nanon 950000\n"

    def at(time: float, walk: str, detail: str) -> Sample:
        text = f"{V2}\ngroup /a.service\n{walk}seen 1\n"
        return Sample(time, time, {"cgroups": Answer(text), "cgroup-details": Answer(detail)})

    later = at(105.0, "usage 950000\nmax 100\noom_kill 0\nfull 1000000\n", details(50, 500_000))
    group = one(later, at(110.0, whole, details(200, 4_000_000)))
    assert (group.limit_hits_per_second, group.full_percent, group.oom_kills_in_sample) == (20.0, 60.0, 0)
    assert group.file_restores_per_second is None, "the later walk did not count them: that is not none"
    assert group.some_percent == 0.0


@pytest.mark.parametrize(
    ("stat", "dying"),
    [
        ("nr_descendants 90\nnr_dying_descendants 41300\n", 41300),
        ("nr_descendants 90\nnr_subsys_memory 91\nnr_dying_descendants 3\nnr_dying_subsys_memory 2600\n", 2600),
        ("nr_descendants 90\nnr_dying_descendants 0\n", 0),
        ("", None),
        ("nr_descendants 90\n", None),
    ],
)
def test_removed_groups_that_are_still_in_memory_are_counted(stat: str, dying: int | None) -> None:
    seen = sample(1.0, said("/a.service", usage=5))
    reading = read(Sample(1.0, 1.0, {**seen.answers, cgroups.STAT: Answer(stat)}))
    assert (reading.dying, reading.counts_dying) == (dying, dying is not None)


def test_a_kernel_that_does_not_count_them_says_so() -> None:
    assert (read(sample(1.0)).dying, read(sample(1.0)).counts_dying) == (None, False)


def test_the_buffers_of_sockets_are_the_kernels_memory_too() -> None:
    assert one(sample(1.0, said("/a.service", usage=5, kernel=40, sock=300))).kernel_bytes == 340
    assert one(sample(1.0, said("/a.service", usage=5, kernel_stack=4, pagetables=5, sock=6))).kernel_bytes == 15
    assert one(sample(1.0, said("/a.service", usage=5, sock=6))).kernel_bytes is None


@pytest.mark.parametrize(
    ("held", "limit", "failures", "pressed"),
    [
        (99, 100, 7, True),
        (90, 100, 1, True),
        (99, 100, 0, False),
        (89, 100, 7, False),
        (99, 9223372036854771712, 7, False),
    ],
)
def test_a_limit_of_kernel_memory_that_refused_some_presses(
    held: int, limit: int, failures: int, *, pressed: bool
) -> None:
    text = said("/docker/x", usage=500, limit=1000, kernel=held, kernel_limit=limit, kernel_failures=failures)
    v1 = "version 1 \n"
    reading = read(sample(1.0, text, head=v1), sample(6.0, text, head=v1))
    (group,) = reading.all
    assert (group.kernel_limit_bytes is None) is (limit > 1000)
    assert (group.kernel_limit_failures, bool(reading.pressed)) == (failures, pressed)


def test_the_group_that_is_nearest_to_its_limit_of_processes() -> None:
    groups = [said("/a", pids=9, pids_limit=10), said("/b", pids=99, pids_limit=1000), said("/c", pids=7)]
    assert read(sample(5.0, *groups)).most_pids_percent == 90.0
    assert read(sample(5.0, *groups[2:])).most_pids_percent == 0.0
    assert read(sample(5.0, said("/a", pids=0, pids_limit=0))).most_pids_percent == 0.0


@pytest.mark.parametrize("shell", SHELLS)
def test_small_services_that_were_not_read_are_counted(shell: tuple[str, ...], tmp_path: Path) -> None:
    files = {"cgroup.controllers": "memory\n", "cgroup.stat": "nr_descendants 4\n"}
    for name, usage in (("big", 90 * MIB), ("a", 5000), ("b", 6000)):
        folder = f"system.slice/{name}.service"
        files |= {f"{folder}/memory.current": f"{usage}\n", f"{folder}/memory.max": "max\n"}
        files |= {f"{folder}/memory.high": "max\n", f"{folder}/cgroup.stat": "nr_descendants 0\n"}
    files |= {"system.slice/memory.current": "1\n", "system.slice/memory.max": "max\n"}
    files |= {"system.slice/memory.high": "max\n", "system.slice/cgroup.stat": "nr_descendants 3\n"}
    tree(tmp_path, files)
    found = parse(sampled(shell, FACT.asks, {"/sys/fs/cgroup": tmp_path}), {})
    assert isinstance(found, CgroupsReading)
    cut = found.cut["all"]
    assert cut.why.startswith("2 smaller control groups are not in the list, each of less than ")
    assert cut.below["usage_bytes"] >= MIB

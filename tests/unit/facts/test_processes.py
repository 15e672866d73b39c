from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.holding import MIB, holding
from tests.unit.facts.shell_walks import SHELLS, sampled, tree, walked

from memrunbook.core.reading.fact import Answer, Cut, Detail, Reading, Sample, Samples, Unavailable, Walk
from memrunbook.facts.processes import FACT, OLD_WALK, Processes, parse
from memrunbook.facts.shared.process_walk import AGAIN, ITEMS, PROGRAM, SCRIPT
from memrunbook.facts.shared.sampling import ONE_SAMPLE
from memrunbook.facts.shared.unlisted import HIDDEN, NONE_AT_ALL, SIZES

STATUS = (
    "Name:\t{name}\nUid:\t1000\t1000\t1000\t1000\nVmSize:\t 9000 kB\nVmRSS:\t {rss} kB\n{split}VmSwap:\t {swap} kB\n"
)
SPLIT = "RssAnon:\t {anon} kB\nRssFile:\t 8 kB\nRssShmem:\t 4 kB\n"


def sample(text: str, uptime: float = 1000.0) -> Samples:
    return (Sample(before=uptime, after=uptime, answers={"processes": Answer(text)}),)


def read(text: str, **readings: Reading | Unavailable) -> Processes:
    reading = parse(sample(text), readings)
    assert isinstance(reading, Processes)
    return reading


def process_files(pid: int, *, rss: int, swap: int = 0, data: int = 0, name: str = "app") -> dict[str, str]:
    """Sizes in KiB, on pages of 4 KiB."""
    fields = f"{pid} ({name}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 50000 0 0\n"
    return {
        f"{pid}/stat": fields,
        f"{pid}/statm": f"5000 {rss // 4} 3 1 0 {data // 4} 0\n",
        f"{pid}/status": STATUS.format(name=name, rss=rss, swap=swap, split=SPLIT.format(anon=rss - 12)),
        f"{pid}/cgroup": "3:cpu:/x\n2:memory,hugetlb:/pool\n1:name=systemd:/system.slice/app.service\n0::/\n",
        f"{pid}/oom_score": "666\n",
        f"{pid}/oom_score_adj": "-17\n",
    }


def meminfo(*, swap: int = 0, swap_free: int = 0) -> dict[str, str]:
    """A host of 1 GiB: small is 1 MiB, middle 2.6 MiB, big 10.5 MiB."""
    text = f"MemTotal: 1048576 kB\nMemFree: 1 kB\nSwapTotal: {swap} kB\nSwapFree: {swap_free} kB\nDirty: 0 kB\n"
    return {"meminfo": text}


def walk_tree(shell: tuple[str, ...], root: Path, *between: str) -> Processes:
    """The reading of a tree of files; `between` changes them before each later sample."""
    tree(root, {"uptime": "100.00 1.00\n"})
    samples = sampled(shell, FACT.asks, {"/proc": root}, between)
    reading = parse(samples, {})
    assert isinstance(reading, Processes)
    return reading


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("rss", [20_000, 2_000], ids=["large", "little"])
def test_a_process_is_read_in_full(shell: tuple[str, ...], rss: int, tmp_path: Path) -> None:
    tree(tmp_path, {**meminfo(), **process_files(7, rss=rss, swap=12, name="a) (b")})
    found = walk_tree(shell, tmp_path)
    (one,) = found.all

    assert (one.pid, one.name, one.parent, one.uid, one.threads) == (7, "a) (b", 1, 1000, 2)
    assert (one.rss_bytes, one.anonymous_bytes, one.swap_bytes) == (rss << 10, (rss - 12) << 10, 12 << 10)
    assert (one.file_bytes, one.shared_bytes) == (8 << 10, 4 << 10)
    assert (one.oom_score, one.oom_score_adj) == (666, -17)
    assert (one.start_ticks, one.age_seconds) == (50000, 0.0)
    assert (one.cgroup, one.unit, one.container) == ("/pool", "app.service", "")
    assert (found.seen, found.complete, found.left_out, found.least_bytes) == (1, True, 0, 0)


@pytest.mark.parametrize("shell", SHELLS)
def test_small_ones_are_listed_too_and_kernel_threads_are_not(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(
        tmp_path,
        {**meminfo(), **process_files(7, rss=36), **process_files(8, rss=1048), "9/statm": "0 0 0 0 0 0 0\n"},
    )
    found = walk_tree(shell, tmp_path)
    assert (found.seen, found.shown, [one.pid for one in found.all]) == (2, 2, [8, 7])
    assert (found.complete, found.least_bytes) == (True, 0)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_process_in_swap_is_found_when_swap_is_used(shell: tuple[str, ...], tmp_path: Path) -> None:
    asleep = {
        **process_files(7, rss=16, swap=500_000, data=600_000),
        **process_files(8, rss=16, swap=3_000, data=9_000),
        **process_files(9, rss=16, swap=1_200, data=9_000),
        **process_files(10, rss=16, swap=0, data=600_000),
        **process_files(11, rss=1_400, swap=800, data=9_000),
        **process_files(12, rss=1_500, swap=0, data=8),
    }
    tree(tmp_path, {**meminfo(swap=1000, swap_free=999), **asleep, "13/statm": "5000 1 1 1 0 9000 0\n"})
    assert [one.pid for one in walk_tree(shell, tmp_path).all] == [7, 8, 11, 12, 9, 10]


@pytest.mark.parametrize("shell", SHELLS)
def test_who_has_no_memory_is_not_seen_where_swap_is_used(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {**meminfo(swap=1000, swap_free=999), **process_files(7, rss=16), "9/statm": "0 0 0 0 0 0 0\n"})
    found = walk_tree(shell, tmp_path)
    assert (found.seen, [one.pid for one in found.all]) == (1, [7])


NO_PID = 10_000_000
"""Larger than any: the shell that walks takes the size of a page from what it finds under its own."""


def many(count: int, rss: int, start: int) -> dict[str, str]:
    return {path: text for pid in range(start, start + count) for path, text in process_files(pid, rss=rss).items()}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("crowds", "swap", "expected"),
    [
        # The least are left out: whoever holds 0.1 % of RAM, 1 MiB at least, is there.
        ([(2, 20_000), (3, 3_000), (5, 1_100), (330, 200)], 0, (1048, 200, 140)),
        # Half of it may be in swap.
        ([(2, 20_000), (3, 3_000), (330, 200)], 9, (2096, 200, 135)),
        # Those of 0.1 % are too many, then those of 0.25 %, then those of 1 %.
        ([(2, 20_000), (3, 3_000), (330, 1_100)], 0, (2620, 200, 135)),
        ([(2, 20_000), (330, 3_000)], 0, (10484, 200, 132)),
        ([(330, 20_000)], 0, (None, 200, 130)),
        ([(190, 200)], 0, (0, 190, 0)),
    ],
)
def test_of_very_many_it_is_said_who_may_be_missing(
    shell: tuple[str, ...],
    tmp_path: Path,
    crowds: list[tuple[int, int]],
    swap: int,
    expected: tuple[int | None, int, int],
) -> None:
    least, shown, left = expected
    for place, (count, rss) in enumerate(crowds):
        tree(tmp_path, many(count, rss, NO_PID * (place + 1)))
    tree(tmp_path, meminfo(swap=swap))

    found = walk_tree(shell, tmp_path)
    assert (found.seen, found.shown, found.left_out) == (sum(count for count, _ in crowds), shown, left)
    assert found.least_bytes == (None if least is None else least << 10)
    assert ("least_bytes" in found.unavailable) == (least is None)
    assert found.complete is (left == 0)
    assert found.all[0].rss_bytes == max(rss for _, rss in crowds) << 10


@pytest.mark.parametrize("shell", SHELLS)
def test_where_too_many_may_be_in_swap_nothing_is_promised(shell: tuple[str, ...], tmp_path: Path) -> None:
    for pid in range(NO_PID, NO_PID + 330):
        tree(tmp_path, process_files(pid, rss=16, swap=1_200, data=90_000))
    tree(tmp_path, meminfo(swap=9))
    found = walk_tree(shell, tmp_path)
    assert (found.seen, found.shown, found.complete, found.least_bytes) == (330, 200, False, None)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_process_that_went_away_is_left_out(shell: tuple[str, ...], tmp_path: Path) -> None:
    gone = {path: text for path, text in process_files(7, rss=20_000).items() if not path.endswith("/status")}
    half = {path: text for path, text in process_files(9, rss=2_000).items() if not path.endswith("/stat")}
    tree(tmp_path, {**meminfo(), **gone, **half, **process_files(8, rss=20_000)})
    assert [one.pid for one in walk_tree(shell, tmp_path).all] == [8]


@pytest.mark.parametrize("shell", SHELLS)
def test_without_another_process_the_largest_are_there(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {**meminfo(), **process_files(7, rss=20_000), **process_files(8, rss=3_000), **many(3, 1_100, 50)})
    found = read(walked(shell, SCRIPT.replace("/proc", str(tmp_path))))
    assert ([one.pid for one in found.all], found.complete, found.left_out) == ([7, 8], False, 3)
    assert found.least_bytes == 2620 << 10


FASTER = "sed -i 's/-1 0 0 0 0 0/-1 0 {minor} 0 {major} 0/' {root}/{pid}/stat; printf '{at} 1.00\\n' >{root}/uptime"


@pytest.mark.parametrize("shell", SHELLS)
def test_who_faults_is_told_over_the_samples(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {**meminfo(), **process_files(7, rss=20_000), **process_files(8, rss=1_500, name="slow")})
    tree(tmp_path, process_files(9, rss=30_000))
    first = FASTER.format(root=tmp_path, pid=7, minor=40, major=600, at="105.00")
    second = FASTER.format(root=tmp_path, pid=8, minor=8, major=200, at="110.00")
    found = walk_tree(shell, tmp_path, first, second)
    rates = {one.pid: (one.major_faults_per_second, one.minor_faults_per_second) for one in found.all}
    assert rates == {7: (60.0, 4.0), 8: (20.0, 0.8), 9: (0.0, 0.0)}
    assert found.faulting is not None
    assert [(one.pid, one.unit, one.major_fault_share) for one in found.faulting] == [
        (7, "app.service", 0.75),
        (8, "app.service", 0.25),
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_process_of_the_same_pid_is_another(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {**meminfo(), **process_files(7, rss=20_000)})
    anew = f"sed -i 's/ 50000 / 60000 /' {tmp_path}/7/stat; printf '110.00 1.00\\n' >{tmp_path}/uptime"
    found = walk_tree(shell, tmp_path, anew)
    assert (found.all[0].major_faults_per_second, found.faulting) == (None, None)
    assert found.unavailable["faulting"] == ONE_SAMPLE


@pytest.fixture
def crowd() -> Iterator[list[int]]:
    """300 idle processes and one that holds memory."""
    with ExitStack() as stack:
        hog = stack.enter_context(holding(400 * MIB, b"hog"))
        idle = [stack.enter_context(subprocess.Popen(["sleep", "60"])) for _ in range(300)]
        for process in idle:
            stack.callback(process.kill)
        yield [hog.pid, *(process.pid for process in idle)]


@pytest.mark.parametrize("shell", SHELLS)
def test_this_machine_is_walked(shell: tuple[str, ...], crowd: list[int]) -> None:
    found = parse(sampled(shell, FACT.asks, {}, ["sleep 0.1"]), {})
    assert isinstance(found, Processes)
    hog = next(one for one in found.all if one.pid == crowd[0])

    assert found.seen > 300
    assert hog.anonymous_bytes >= 400 * MIB
    assert hog.name == "hog"
    assert (hog.parent, hog.uid) == (os.getpid(), os.getuid())
    assert hog.oom_score_adj is not None
    assert hog.major_faults_per_second is not None


def test_an_old_kernel_tells_anonymous_memory_by_statm() -> None:
    text = (
        "page 64\npid 5\nstat 5 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 50 0 0\n"
        "statm 900 800 100 1 0 700 0\nstatus VmRSS:\t 51200 kB\nseen 1\n"
    )
    (found,) = read(text).all
    assert found.anonymous_bytes == 700 * 64 * 1024
    assert (found.file_bytes, found.swap_bytes, found.uid, found.oom_score) == (None, None, None, None)
    (without,) = read(text.replace("statm 900", "statm x").replace("page 64\n", "")).all
    assert without.anonymous_bytes == 51200 * 1024


@pytest.mark.parametrize(
    "bad", ["stat 5 (a) S 1", "stat 5 a", "stat 5 (a) S x 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 5 0"]
)
def test_a_process_that_makes_no_sense_is_left_out(bad: str) -> None:
    assert read(f"pid 5\n{bad}\nstatus VmRSS: 5 kB\nseen 1\n").all == []


def test_a_container_is_found_by_the_memory_group() -> None:
    container = "a" * 64
    stat = "stat 5 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 50 0 0"
    text = f"pid 5\n{stat}\nstatus VmRSS: 5 kB\ncgroup 4:memory:/docker/{container}\ncgroup 1:name=systemd:/x\nseen 1\n"
    assert read(text).all[0].container == f"docker:{container}"


def test_a_list_cut_short_is_no_list() -> None:
    assert parse(sample("page 4\npid 5\n"), {}) == Unavailable("failed", "processes: the list is cut short")


def test_no_answer_is_passed_on() -> None:
    reading = parse((Sample(before=1.0, after=1.0, answers={}),), {})
    assert isinstance(reading, Unavailable)


class Host(Reading, frozen=True, kw_only=True):
    hidepid: bool | None = None
    root: bool | None = None


@pytest.mark.parametrize(
    ("host", "hidden"),
    [
        (Host(hidepid=True, root=False), True),
        (Host(hidepid=True, root=True), False),
        (Host(hidepid=False, root=False), False),
        (Host(root=False), None),
        (Unavailable("failed", "no host"), None),
    ],
)
def test_hidden_processes_are_known_to_be_hidden(host: Reading | Unavailable, *, hidden: bool | None) -> None:
    assert read("page 4\nseen 1\n", host=host).hidden is hidden


STAT = "stat {pid} ({name}) S 1 1 1 0 -1 0 0 0 {major} 0 0 0 0 0 0 20 0 2 0 50 0 0"


def block(pid: int, *, name: str = "a", major: int = 0, size: int = 5, more: str = "") -> str:
    line = STAT.format(pid=pid, name=name, major=major)
    return f"pid {pid}\n{line}\nstatus VmRSS: {size} kB\nstatus RssAnon: {size} kB\n{more}"


def test_processes_of_one_name_are_added_up() -> None:
    shared = "status RssShmem: {} kB\nstatus VmSwap: 2 kB\n"
    parts = [block(pid, name="httpd", size=10, more=shared.format(pid)) for pid in (1, 2, 3)]
    found = read("".join([*parts, block(4, name="db", size=30), "seen 4\n"]))
    told = [(one.name, one.count, one.own_bytes >> 10, one.swap_bytes >> 10) for one in found.by_name]
    assert told == [("httpd", 3, 36, 6), ("db", 1, 30, 0)]
    assert [(one.anonymous_bytes >> 10, one.shared_bytes >> 10) for one in found.by_name] == [(30, 3), (30, 0)]


def test_an_older_recording_is_read() -> None:
    """0.1.0 printed no `least`, asked for no details, and walked once only."""
    whole = read(block(5) + "seen 1\n")
    assert (whole.complete, whole.least_bytes, whole.left_out, whole.faulting) == (True, 0, 0, None)
    cut = read(block(5) + "seen 40\n")
    assert (cut.complete, cut.least_bytes, cut.left_out) == (False, None, 39)
    assert cut.unavailable == {"least_bytes": OLD_WALK, "faulting": ONE_SAMPLE}


def test_a_later_whole_walk_is_the_one_that_counts() -> None:
    """The next read pairs with the last look of the one before it, which told faults only."""
    look = Sample(before=100.0, after=100.0, answers={"processes": Answer(block(5, major=10))})
    text = block(5, major=110, size=9) + block(6, major=3) + "least 0 9\nseen 2\n"
    whole = Sample(
        before=110.0, after=110.0, answers={"processes": Answer(text), "process-details": Answer("listed\n")}
    )
    found = parse((look, whole), {})
    assert isinstance(found, Processes)
    assert [(one.pid, one.major_faults_per_second, one.rss_bytes >> 10) for one in found.all] == [
        (5, 10.0, 9),
        (6, None, 5),
    ]
    assert found.faulting is not None
    assert [one.pid for one in found.faulting] == [5]


def test_faults_that_went_down_are_no_rate() -> None:
    looks = tuple(
        Sample(before=at, after=at, answers={"processes": Answer(block(5, major=major) + "seen 1\n")})
        for at, major in ((100.0, 9), (110.0, 3))
    )
    found = parse(looks, {})
    assert isinstance(found, Processes)
    assert found.all[0].major_faults_per_second is None


def test_hidden_processes_make_no_complete_list() -> None:
    assert read(block(5) + "least 0 0\nseen 1\n", host=Host(hidepid=True, root=False)).complete is False


def test_sizes_and_the_largest_are_asked_of_built_ins_and_the_rest_of_awk() -> None:
    assert FACT.asks == (Walk("processes", SCRIPT, each=True, again=AGAIN), Detail("process-details", ITEMS, PROGRAM))


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_certain_of_those_who_were_left_out(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {**meminfo(), **many(2, 20_000, 100), **many(230, 200, NO_PID), "9/statm": "0 0 0 0 0 0 0\n"})
    found = walk_tree(shell, tmp_path)
    cut = found.cut["all"]
    assert cut.why == "32 smaller processes are not in the list, each of less than 1.0 MiB (232 in all)"
    assert cut.below == {**dict.fromkeys(SIZES, float(1048 << 10)), "swap_bytes": NONE_AT_ALL}
    listed = {one.pid for one in found.all}
    assert set(cut.among["pid"]) == {*range(100, 102), *range(NO_PID, NO_PID + 230)} - listed
    assert len(cut.among["pid"]) == 32
    assert found.cut["by_name"] == Cut(cut.why, {"shared_bytes": float(1048 << 10)})


@pytest.mark.parametrize("shell", SHELLS)
def test_where_swap_is_used_nothing_is_certain_of_what_each_has_there(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {**meminfo(swap=9), **many(2, 20_000, 100), **many(230, 200, NO_PID)})
    cut = walk_tree(shell, tmp_path).cut["all"]
    assert cut.why == "32 smaller processes are not in the list, each of less than 2.0 MiB (232 in all)"
    assert cut.below == dict.fromkeys(SIZES, float(1048 << 10))


def test_a_whole_list_is_not_cut() -> None:
    assert read("pids 5\nnone \n" + block(5) + "least 0 0\nseen 1\n").cut.keys() == {"faulting"}


def test_an_older_recording_is_cut_without_bounds() -> None:
    cut = read(block(5) + "seen 40\n").cut["all"]
    assert cut == Cut("39 processes are not in the list, and how large they are is not known (40 in all)")


def test_hidden_processes_may_be_of_any_size() -> None:
    text = "pids 5\nnone \n" + block(5) + "least 0 0\nseen 1\n"
    assert read(text, host=Host(hidepid=True, root=False)).cut["all"] == HIDDEN


def looked(*majors: int, more: str = "") -> Processes:
    """Processes that were looked at twice, ten seconds apart, with so many faults in between; and others."""
    looks = tuple(
        Sample(
            before=at,
            after=at,
            answers={
                "processes": Answer(
                    "".join(block(pid + 1, major=int(major * at / 10), size=90) for pid, major in enumerate(majors))
                    + (more + "least 0 0\nseen 99\n" if not at else "")
                )
            },
        )
        for at in (0.0, 10.0)
    )
    found = parse(looks, {})
    assert isinstance(found, Processes)
    return found


def test_who_was_looked_at_once_may_fault_too() -> None:
    assert "faulting" not in looked(500).cut
    cut = looked(500, more=block(70, size=7)).cut["faulting"]
    assert cut.why == "how fast 1 of the smaller processes fault is not known: they were looked at once only"
    assert (cut.below["rss_bytes"], cut.below["shared_bytes"]) == ((7 << 10) + 1.0, 1.0)


def test_of_very_many_that_fault_the_fastest_are_in_the_list() -> None:
    assert looked(*[500] * 10).cut == {}
    assert looked(*[500] * 11).cut["faulting"] == Cut("more than 10 processes fault: the fastest are in the list")


def test_what_is_written_as_usual_is_read_like_anything_else() -> None:
    fields = "S 1 1 1 0 -1 0 70 0 80 0 0 0 0 0 20 0 2 0 50000 0 0"
    status = ["Uid:\t1000\t0\t0\t0", "VmRSS:\t  12 kB", "RssAnon:\t 5 kB", "RssFile:\t 4 kB", "RssShmem:\t 3 kB"]
    status.append("VmSwap:\t 2 kB")

    def told(stat: str, lines: list[str]) -> str:
        said = [f"status {line}" for line in lines]
        return "\n".join(["page 4", "pid 7", f"stat 7 (a ) b) {stat}", *said, "seen 1"])

    usual = read(told(fields, status)).all
    assert [(one.name, one.uid, one.file_bytes, one.swap_bytes) for one in usual] == [("a ) b", 1000, 4096, 2048)]
    assert read(told(fields.replace(" ", "  "), status[::-1])).all == usual
    assert read(told(fields.replace(" 50000", f" {'9' * 20}"), status)).all == []

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.facts.shell_walks import SHELLS, tree, walked

from memrunbook.core.reading.fact import Answer, Reading, Sample, Samples, Unavailable, Walk
from memrunbook.facts.processes import FACT, SCRIPT, Processes, parse

MIB = 1 << 20
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


def walk_tree(shell: tuple[str, ...], root: Path) -> Processes:
    return read(walked(shell, SCRIPT.replace("/proc", str(root))))


@pytest.mark.parametrize("shell", SHELLS)
def test_a_process_is_read_in_full(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, {**meminfo(), **process_files(7, rss=20_000, swap=12, name="a) (b")})
    (found,) = walk_tree(shell, tmp_path).all

    assert (found.pid, found.name, found.parent, found.uid, found.threads) == (7, "a) (b", 1, 1000, 2)
    assert (found.rss_bytes, found.anonymous_bytes, found.swap_bytes) == (20_000 << 10, 19_988 << 10, 12 << 10)
    assert (found.file_bytes, found.shared_bytes) == (8 << 10, 4 << 10)
    assert (found.oom_score, found.oom_score_adj) == (666, -17)
    assert (found.start_ticks, found.age_seconds) == (50000, 500.0)
    assert (found.cgroup, found.unit, found.container) == ("/pool", "app.service", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_small_ones_and_kernel_threads_are_not_shown(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(
        tmp_path,
        {**meminfo(), **process_files(7, rss=1044), **process_files(8, rss=1048), "9/statm": "0 0 0 0 0 0 0\n"},
    )
    found = walk_tree(shell, tmp_path)
    assert (found.seen, found.shown, [one.pid for one in found.all]) == (2, 1, [8])


@pytest.mark.parametrize("shell", SHELLS)
def test_a_process_in_swap_is_found_when_swap_is_used(shell: tuple[str, ...], tmp_path: Path) -> None:
    asleep = {
        **process_files(7, rss=4, swap=500_000, data=600_000),
        **process_files(8, rss=4, swap=3_000, data=9_000),
        **process_files(9, rss=4, swap=1_200, data=9_000),
        **process_files(10, rss=4, swap=0, data=600_000),
    }
    tree(tmp_path, {**meminfo(swap=1000, swap_free=999), **asleep, "11/statm": "5000 1 1 1 0 9000 0\n"})
    assert [one.pid for one in walk_tree(shell, tmp_path).all] == [7, 8, 9]

    tree(tmp_path, meminfo(swap=1000, swap_free=1000))
    assert walk_tree(shell, tmp_path).all == []


@pytest.mark.parametrize("shell", SHELLS)
def test_of_very_many_the_largest_are_shown(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(tmp_path, meminfo())
    for pid in range(100, 250):
        tree(tmp_path, process_files(pid, rss=1_100))
    tree(tmp_path, {**process_files(998, rss=3_000), **process_files(999, rss=500_000)})

    found = walk_tree(shell, tmp_path)
    assert (found.seen, found.shown) == (152, 120)
    assert [one.pid for one in found.all[:2]] == [999, 998]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_process_that_went_away_is_left_out(shell: tuple[str, ...], tmp_path: Path) -> None:
    gone = {path: text for path, text in process_files(7, rss=20_000).items() if not path.endswith("/status")}
    tree(tmp_path, {**meminfo(), **gone, **process_files(8, rss=20_000)})
    assert [one.pid for one in walk_tree(shell, tmp_path).all] == [8]


@pytest.fixture
def crowd() -> Iterator[list[int]]:
    """300 idle processes and one that holds memory."""
    hold = "import sys; held = bytearray(b'x') * (400 << 20); print('held', flush=True); sys.stdin.read()"
    hog = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert hog.stdout
    hog.stdout.readline()
    idle = [subprocess.Popen(["sleep", "60"]) for _ in range(300)]
    yield [hog.pid, *(process.pid for process in idle)]
    for process in (hog, *idle):
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


@pytest.mark.parametrize("shell", SHELLS)
def test_this_machine_is_walked(shell: tuple[str, ...], crowd: list[int]) -> None:
    found = read(walked(shell, SCRIPT))
    hog = next(one for one in found.all if one.pid == crowd[0])

    assert found.seen > 300
    assert hog.anonymous_bytes >= 400 * MIB
    assert hog.name.startswith("python")
    assert (hog.parent, hog.uid) == (os.getpid(), os.getuid())
    assert hog.oom_score_adj is not None


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


def test_the_question_is_one_walk() -> None:
    assert FACT.asks == (Walk("processes", SCRIPT),)

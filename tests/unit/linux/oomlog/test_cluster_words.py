"""What the kubelet, a pod's status or a task's says of a kill, with and without the kernel's own lines beside it."""

import pytest

from memrunbook.linux.oomlog.event import KernelLog
from memrunbook.linux.oomlog.reader import read_log

KERNEL = "kernel: Out of memory: Killed process 4711 (node) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB\n"
SYSTEM = (
    "Warning  SystemOOM  3m  kubelet, n7  System OOM encountered, victim process: node, pid: 4711\n",
    'E1 1523 oom_watcher_linux.go:82] "Got sys oom event" event={"Pid":4711,"ProcessName":"node"}\n',
    'kubelet[9]: E1 oom_watcher.go:77] "Got sys oom event" event=&{Pid:4711 ProcessName:node TimeOfDeath:2026-01-02}\n',
    'reason="SystemOOM" message="System OOM encountered, victim process: node, pid: 4711"\n',
    '{"reason":"SystemOOM","message":"System OOM encountered, victim process: node, pid: 4711"}\n',
)
STATUS = (
    "      Reason:       OOMKilled\n",
    "        reason: OOMKilled\n",
    '"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}\n',
    '            "OOMKilled": true,\n',
    "STOPPED (OutOfMemoryError: Container killed due to memory usage)\n",
)
QUIET = (
    '            "OOMKilled": false,\n',
    "      Reason:       Completed\n",
    "I0101 config: OOMKilled containers are restarted\n",
    "SystemOOM watcher started\n",
    'time="2026" level=info msg="Got sys oom watcher"\n',
)


def read(text: str) -> KernelLog:
    return read_log(text.splitlines(keepends=True))


def told(text: str) -> list[tuple[str, str]]:
    return [(note.kind, note.name) for note in read(text).notes]


@pytest.mark.parametrize("line", SYSTEM)
def test_the_kubelets_word_of_a_kill_is_told_where_the_kernels_is_missing(line: str) -> None:
    assert told(line) == [("system-oom", "node, pid 4711")]
    assert told(line + SYSTEM[0]) == [("system-oom", "node, pid 4711")], "it says it twice"


@pytest.mark.parametrize("line", SYSTEM)
@pytest.mark.parametrize("first", [True, False])
def test_it_is_no_second_kill_beside_the_kernels_own_line(line: str, *, first: bool) -> None:
    found = read(line + KERNEL if first else KERNEL + line)
    assert (len(found.events), found.notes) == (1, ())


@pytest.mark.parametrize("line", STATUS)
def test_the_status_of_a_container_that_was_out_of_memory_is_told(line: str) -> None:
    assert told(line) == [("container", "a container")]


@pytest.mark.parametrize("line", QUIET)
def test_words_that_only_look_like_it_say_nothing(line: str) -> None:
    assert told(line) == []

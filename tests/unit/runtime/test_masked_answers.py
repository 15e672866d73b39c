"""What a host answered, masked: every question of every fact is known, and no name is left in an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.facts.test_recorded import FOLDER, reading_of
from tests.facts.test_recorded import samples_of as cases_of
from tests.unit.facts import test_shared_memory as sharing

from memrunbook import catalog
from memrunbook.core.reading.fact import Answer, Detail, Question, Read, Sample, Unavailable, Whole
from memrunbook.core.units import MIB
from memrunbook.linux import hold, service
from memrunbook.runtime import masked_answers
from memrunbook.runtime.masked_answers import LEFT_OUT, maskable, masked
from memrunbook.runtime.masking import Masks
from memrunbook.transports.shared.bundle import samples_of

CASES = sorted((Path(__file__).parents[2] / "facts").glob("*/*.txt"))
OLD = {"grep", "journal"}
MARK = hold.Mark(
    timer="memrunbook-20261122t094107z-abcd-0a1b2c3d",
    action="freeze_unit",
    target="payroll.service",
    what="payroll.service is frozen",
    run="20261122T094107Z-abcd",
    runbook="payroll-freeze",
    seconds=60,
)
ANSWERS = {
    "host": "osrelease 6.1.0\nhostname db7.payroll.example\nboot_id 9b2d4e1c-0a77-4c55-8f2e-1f0c6b7a9d10\n"
    "path /run/redis/redis-payroll.pid\npath /usr/lib/systemd/libsystemd-shared-252.so\nunit payroll.service\n"
    "off /etc/memrunbook/off says: ada of payroll said so\n",
    "processes": "page 4\npid 7\nstat 7 (payroll (x)) S 1 7\ncgroup 0::/payroll.slice/payroll.service\n",
    "process-details": "pid 8\nstat 8 (payrolld) S 1 8\ncgroup 4:memory:/docker/c0ffeec0ffeec0ffee\nlisted\n",
    "cgroups": "version 2 memory\ngroup /payroll.slice\nusage 4096\n",
    "cgroup-details": "group /payroll.slice\nanon 4096\n",
    "units": "unit /system.slice/payroll.service\ntotal 4096\n",
    "systemctl": "Id=payroll.service\nActiveState=active\nControlGroup=/system.slice/payroll.service\n"
    "DropInPaths=/etc/systemd/system/payroll.service.d/90-payroll.conf\nRequiredBy=payroll-web.service ssh.service\n"
    "Description=the payroll of ACME\nFailed to connect to bus: Connection refused\n",
    "dmesg": "[ 1.0] payroll: hello\n",
    "holds": "frozen /payroll.slice\nseen 3\n",
    "disks": "1 sda 8:0\nmount 8:1 /dev/mapper/payroll-data /srv/payroll\n",
    "tmpfs": "4096 100 50 /srv/payroll\n",
    "maps": "  4100 /proc/7/maps\n",
    "shared-maps": "7f00-7f10 rw-s 00000000 00:01 3 /memfd:payroll (deleted)\n"
    "7f10-7f20 rw-s 00000000 00:01 4 /dev/shm/payroll\n7f20-7f30 rw-s 00000000 00:01 5 /SYSV0000162e (deleted)\n",
    "containers-docker": '{"id":"c0ffeec0ffeec0ffee","name":"/payroll","image":"reg.payroll.example/x:1",'
    '"running":true,"labels":["","","","","payroll","payroll.service"]}\nCannot connect to the daemon of payroll\n',
    "/proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n/srv/payroll/swap file 100 0 -2\n",
    "/etc/machine-id": "727d585b123942099829e0f6e8590f00\n",
    "/proc/1/cgroup": "0::/init.scope\n",
    "/proc/7/stat": "7 (payroll) S 1 7\n",
    "/etc/sysctl.d/60-payroll.conf": "# for payroll\nvm.swappiness = 10\nkernel.domainname = payroll.example\n",
    hold.place("freeze_unit", ("payroll.service",)): "\n".join([*hold.lines(MARK), "since 5.0", ""]),
    "/proc/meminfo": "MemTotal: 481028 kB\n",
    "news": "payroll\n",
}


def shown() -> dict[str, Answer]:
    answers = {key: Answer(text) for key, text in ANSWERS.items()}
    answers["/sys/fs/cgroup/system.slice/payroll.service/memory.stat"] = Answer(
        problem=Unavailable("denied", "/sys/fs/cgroup/system.slice/payroll.service/memory.stat: permission denied")
    )
    return dict(masked(Sample(before=1.0, after=2.0, answers=answers, complete=True), Masks(), "host-1").answers)


def test_no_name_is_left_in_any_answer_nor_in_any_question() -> None:
    found = shown()
    for key, answer in found.items():
        for text in (key, answer.text, answer.problem.why if answer.problem else ""):
            assert not [
                word for word in ("payroll", "ACME", "ada", "727d585b", "c0ffee", "9b2d4e1c") if word in text
            ], key
    assert len(found) == len(ANSWERS) + 1


def test_what_the_engine_needs_is_still_there() -> None:
    found = {key: answer.text for key, answer in shown().items()}
    assert "hostname host-1\n" in found["host"]
    assert "path /run/redis/redis1.pid\npath /usr/lib/systemd/libsystemd-shared-252.so\n" in found["host"]
    assert found["processes"].endswith("stat 7 (process-1) S 1 7\ncgroup 0::/unit-2.slice/unit-1.service\n")
    assert found["units"] == "unit /system.slice/unit-1.service\ntotal 4096\n"
    assert "Id=unit-1.service\nActiveState=active\nControlGroup=/system.slice/unit-1.service\n" in found["systemctl"]
    assert "RequiredBy=unit-3.service ssh.service\n" in found["systemctl"]
    assert "Failed to connect to bus: Connection refused" in found["systemctl"]
    assert found["disks"] == "1 sda 8:0\nmount 8:1 /dev/mapper/name-1 /srv/name-2\n"
    assert found["tmpfs"] == "4096 100 50 /srv/name-2\n"
    assert found["maps"] == ANSWERS["maps"]
    assert found["/etc/sysctl.d/60-file-2.conf"] == "vm.swappiness = 10\n"
    assert "/SYSV0000162e (deleted)" in found["shared-maps"]
    assert found["/proc/meminfo"] == ANSWERS["/proc/meminfo"]


def test_an_answer_that_nobody_knows_is_left_out() -> None:
    assert shown()["question-1"].problem == Unavailable("failed", LEFT_OUT)
    for path in ("/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/sys/module/payroll/parameters/key"):
        assert not maskable(path)
        unknown = Sample(1.0, 2.0, {path: Answer("payroll\n")})
        assert "payroll" not in str(masked(unknown, Masks(), "host-1").answers)


def test_a_mark_says_whose_it_is_under_other_names() -> None:
    [(place, answer)] = [(key, answer) for key, answer in shown().items() if key.startswith(hold.MARKS)]
    assert place != hold.place("freeze_unit", ("payroll.service",))
    read = hold.read_mark(answer.text)
    assert read is not None
    assert (read.action, read.target, read.run, read.runbook) == (
        "freeze_unit", "unit-1.service", "20261122T094107Z-abcd", "runbook-1",
    )  # fmt: skip
    assert (read.since, read.seconds, read.timer) == (5.0, 60.0, "memrunbook-20261122t094107z-abcd-00000000")


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("vm.swappiness", "vm.swappiness"), ("/proc/sys/vm/swappiness", "/proc/sys/vm/swappiness"), ("pid 7", "pid 7"),
        ("vm.payroll", "target-1"), ("/proc/sys/net/ipv4/conf/payroll", "/proc/sys/name-1/name-2/name-3/name-4"),
        ("docker:c0ffeec0ffee", "docker:000000000002"), ("docker:payroll", "target-1"),
        ("payroll.slice", "unit-1.slice"),
    ],
)  # fmt: skip
def test_of_what_is_held_the_kernels_own_names_stay(target: str, shown: str) -> None:
    mark = "\n".join([*hold.lines(msgspec.structs.replace(MARK, target=target)), "since 5.0", ""])
    place = hold.place("set_sysctl", (target,))
    answers = {place: Answer(mark), "holds": Answer(f"lost {place}\nlost /run/memrunbook-holds/payroll\nseen 3\n")}
    found = masked(Sample(1.0, 2.0, answers), Masks(), "host-1").answers
    [(hidden, answer)] = [(key, one) for key, one in found.items() if key != "holds"]
    read = hold.read_mark(answer.text)
    assert read is not None
    assert read.target == shown
    assert found["holds"].text == f"lost {hidden}\nseen 3\n"


def test_what_systemctl_and_docker_cannot_do_is_still_told() -> None:
    answers = {
        "systemctl": Answer("System has not been booted with systemd as init system (PID 1). Ask payroll.\n"),
        "containers-docker": Answer('"payroll"\n{"payroll": 1, "pid": "payroll", "running": true}\n'),
    }
    found = masked(Sample(1.0, 2.0, answers), Masks(), "host-1").answers
    assert found["systemctl"].text == "System has not been booted with systemd\n"
    assert found["containers-docker"].text == '{"pid": 0, "running": true}\n'


def asked(asks: tuple[Question, ...]) -> set[str]:
    return {ask.path.replace("*", "7") if isinstance(ask, Read | Whole) else ask.name for ask in asks}


MADE = {"shared_memory": sharing.readings(processes=sharing.listed(sharing.process(300 * MIB)))}
"""Readings on which a fact asks once more, where none that was recorded for it has any."""


def followed(name: str) -> set[str]:
    """What a fact asks once more on any of the hosts that were recorded for it."""
    fact = catalog.facts()[name]
    cases = [cases_of(case) for case in FOLDER.glob(f"{name}/*.txt")]
    needed = [{need: reading_of(need, samples) for need in fact.needs} for samples in cases]
    needed += [MADE[name]] if name in MADE else []
    return {key for readings in needed for key in asked(fact.follow(readings) if fact.follow else ())}


def test_every_question_of_every_fact_is_known() -> None:
    asks = tuple(ask for fact in catalog.facts().values() for ask in fact.asks)
    assert any(isinstance(ask, Detail) for ask in asks)
    assert [key for key in sorted(asked(asks)) if not maskable(key)] == []


@pytest.mark.parametrize("name", [name for name, fact in catalog.facts().items() if fact.follow])
def test_what_a_fact_asks_once_more_is_known_too(name: str) -> None:
    keys = followed(name)
    assert keys, f"{name} asks nothing once more of any recorded host: make readings for it, in MADE"
    assert [key for key in sorted(keys) if not maskable(key)] == []


def test_every_property_of_a_service_is_known() -> None:
    known = masked_answers.UNITS_OF | masked_answers.WORDS | {"ControlGroup", "DropInPaths", "InvocationID"}
    assert set(service.PROPERTIES) == known


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_whatever_a_host_answered_is_masked(case: Path) -> None:
    for sample in samples_of(case.read_text(encoding="utf-8", errors="backslashreplace")):
        once = masked(sample, Masks(), "host-1")
        assert len(once.answers) <= len(sample.answers)
        assert (once.before, once.after, once.complete) == (sample.before, sample.after, sample.complete)
        left = [key for key, answer in once.answers.items() if answer.problem and answer.problem.why == LEFT_OUT]
        assert set(left) <= OLD


def _without_text(value: Any) -> Any:
    """The same value with each text empty: names may be others, nothing else may."""
    if isinstance(value, dict):
        return {key: _without_text(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_text(one) for one in value]
    return "" if isinstance(value, str) else value


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_masked_answer_says_the_same_but_for_names(case: Path) -> None:
    fact, samples, masks = case.parent.name, cases_of(case), Masks()
    shown = tuple(masked(sample, masks, "host-1") for sample in samples)
    plain, again = (msgspec.to_builtins(reading_of(fact, one)) for one in (samples, shown))
    assert _without_text(again) == _without_text(plain)

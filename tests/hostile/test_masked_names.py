"""Whatever in an answer may be somebody's name is none in a masked recording.

Twice: a name is planted at each place at which somebody may choose one, in disguises that begin or end as what stays
plain; and each word of each line that a host ever answered is taken for a name, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from memrunbook import catalog
from memrunbook.core.reading.fact import Answer, Question, Read, Sample, Whole
from memrunbook.linux import hold
from memrunbook.runtime.masked_answers import KERNELS, masked
from memrunbook.runtime.masking import Masks
from memrunbook.transports.shared.bundle import bundle_of, bundles, read_bundle, samples_of

TESTS = Path(__file__).parents[1]
NAME = "payroll"
DISGUISES = r"""
payroll Payroll PAYROLL-1 payroll7 migration-payroll migration/payroll watchdog_payroll dm-payroll kworker-payroll
kworker/0:1-payroll kworker/payroll irq/9-payroll jbd2/payroll-8 systemd-payroll systemd-payroll@1 sshd-payroll
kubepods-payroll-pod docker-payroll user-payroll session-payroll getty@ttypayroll ssh@payroll postgres-payroll
python3-payroll memrunbook-payroll 10-payroll 50-default.conf-payroll pay\x2droll-payroll payroll.service payroll.slice
payroll.scope payroll.mount systemd-payroll.service system-payroll.slice system-systemd\x2dpayroll.slice payroll.conf
lxc.payload.payroll machine-qemu-1-payroll.scope sda-payroll zram0-payroll md_payroll kmalloc-payroll vm.payroll
(payroll) [payroll] anon:payroll GFP_PAYROLL 0x7-payroll payroll_17 1/payroll payroll-10.1.2.3
""".split()  # noqa: SIM905  as they are read
SPACED = ("payroll kB", "1 payroll", "payroll 17", "the payroll of everybody")
[PLACES] = read_bundle(Path(__file__).with_name("named-places.txt"))
"""Each kind of answer, `{}` where somebody may choose what stands there, or may forge it."""


def recording(answers: dict[str, Answer]) -> str:
    """What is in a masked recording of these."""
    sample = Sample(before=1.0, after=2.0, answers=answers, complete=True)
    return bundle_of([masked(sample, Masks(), "host-1")], ())


def leaks(text: str) -> list[str]:
    return [line for line in text.split("\n") if NAME in line.casefold()]


@pytest.mark.parametrize("name", [*DISGUISES, *SPACED])
def test_a_name_gets_through_at_no_place_and_in_no_disguise(name: str) -> None:
    of_file = name.replace("/", "!")
    planted = {key.replace("{}", of_file): _planted(key, place, name) for key, place in PLACES.answers.items()}
    assert len(planted) == len(PLACES.answers)
    assert leaks(recording(planted)) == []


def _planted(key: str, place: Answer, name: str) -> Answer:
    inside_json = key.startswith("containers-")
    return Answer(place.text.replace("{}", name.replace("\\", r"\\") if inside_json else name))


def questions() -> Iterator[Question]:
    for fact in catalog.facts().values():
        yield from fact.asks


def test_each_question_has_its_places_or_is_one_that_the_kernel_alone_answers() -> None:
    keys = {ask.path.replace("*", "{}") if isinstance(ask, Read | Whole) else ask.name for ask in questions()}
    numbered = {key: key.replace("{}", "7") for key in keys}
    alone = {key for key, path in numbered.items() if any(re.fullmatch(pattern, path) for pattern in KERNELS)}
    shaped = {key.replace("/60-{}", "/{}") for key in PLACES.answers}
    assert keys - alone - shaped - {f"{hold.MARKS}/{{}}"} == set()


def recorded() -> dict[str, list[str]]:
    """By question, each kind of line that any recorded host answered, in the order of the first that did."""
    found: dict[str, dict[str, str]] = {}
    samples = [one for path in bundles(TESTS / "hosts") for one in read_bundle(path)]
    for path in sorted((TESTS / "facts").glob("*/*.txt")):
        samples += samples_of(path.read_text(encoding="utf-8", errors="backslashreplace"))
    for sample in samples:
        for key, answer in sample.answers.items():
            if not any(re.fullmatch(pattern, key) for pattern in KERNELS):
                kinds = found.setdefault(re.sub(r"\d+", "7", key), {})
                for line in answer.text.split("\n"):
                    kinds.setdefault(re.sub(r"[\d.]+", "7", line), line)
    return {key: list(kinds.values()) for key, kinds in found.items()}


RECORDED = recorded()
WORD = re.compile(r"[^\s=:,()/]+")
PHASES = 3
"""Lines of a table are only rows while its head is whole: every third line is changed at once."""


@pytest.mark.parametrize("key", RECORDED)
def test_each_word_that_a_host_answered_may_be_a_name(key: str) -> None:
    lines = RECORDED[key]
    for place in range(max(len(WORD.findall(line)) for line in lines)):
        for phase in range(PHASES):
            for how in (NAME, r"\g<0>-payroll", r"payroll/\g<0>"):
                changed = [
                    _with(line, place, how) if number % PHASES == phase else line for number, line in enumerate(lines)
                ]
                assert leaks(recording({key: Answer("\n".join(changed))})) == []


def _with(line: str, place: int, how: str) -> str:
    words = list(WORD.finditer(line))
    if place >= len(words):
        return line
    found = words[place]
    return line[: found.start()] + re.sub(r".+", how, found[0]) + line[found.end() :]

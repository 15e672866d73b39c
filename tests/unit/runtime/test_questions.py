from __future__ import annotations

from memrunbook.core.reading.fact import Answer, Command, Detail, Read, Sample, Walk, Whole
from memrunbook.runtime.questions import answers_to, asks_pattern, key_of, repeated, under, with_details

COUNTER, SETTING = Read("/proc/vmstat", each=True), Whole("/proc/sys/vm/*")
WALKED, MORE, SHOW = Walk("walk", ":", each=True), Detail("more", "$a", ""), Command("show", ("show",))
ASKS = (COUNTER, SETTING, WALKED, MORE, SHOW)


def sample(at: float, **answers: str) -> Sample:
    keys = {"vmstat": "/proc/vmstat", "swappiness": "/proc/sys/vm/swappiness"}
    return Sample(at, at, {keys.get(name, name): Answer(text) for name, text in answers.items()})


def test_an_answer_belongs_to_the_question_that_it_fits() -> None:
    assert [key_of(ask) for ask in ASKS] == ["/proc/vmstat", "/proc/sys/vm/*", "walk", "more", "show"]
    assert [ask for ask in ASKS if asks_pattern(ask)] == [SETTING]
    assert [ask for ask in ASKS if answers_to(ask, "/proc/sys/vm/swappiness")] == [SETTING]
    assert [ask for ask in ASKS if answers_to(ask, "more")] == [MORE]
    assert repeated(ASKS) == {COUNTER, WALKED}


def test_an_earlier_sample_keeps_its_counters_and_gets_what_is_read_once() -> None:
    old = sample(1, vmstat="a 1", swappiness="60", walk="w", more="m", show="old")
    new = sample(9, vmstat="a 2", swappiness="10", walk="v", more="n", show="new")
    assert under(old, new, ASKS) == sample(1, swappiness="10", show="new", vmstat="a 1", walk="w", more="m")


def test_a_later_sample_gets_the_details_of_the_walk_before_it() -> None:
    assert with_details(sample(2, walk="v"), sample(1, walk="w", more="m"), ASKS) == sample(2, more="m", walk="v")

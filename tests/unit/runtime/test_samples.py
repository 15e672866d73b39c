"""What one sample has of another, and which answers belong to a question."""

from __future__ import annotations

from memrunbook.core.reading.fact import Answer, Command, Detail, Question, Read, Sample, Walk, Whole
from memrunbook.runtime.samples import answers, asks_pattern, details, key_of, repeated, under, with_details

ASKS: tuple[Question, ...] = (
    Read("/c", each=True),
    Read("/c/*/now", each=True),
    Read("/s"),
    Walk("w", "true", each=True),
    Detail("d", "$a", ""),
    Command("log", ("dmesg",)),
    Whole("/k*"),
)


def sample(before: float, **answered: str) -> Sample:
    return Sample(before, before, {f"/{key}" if key in "csk" else key: Answer(text) for key, text in answered.items()})


def test_counters_are_the_old_ones_and_all_else_is_the_newest() -> None:
    old, new = sample(1.0, c="old", s="old", w="old", d="old", log="old"), sample(9.0, c="new", s="new", w="new")
    older = Sample(1.0, 1.0, {**old.answers, "/c/a/now": Answer("old")})
    newer = Sample(9.0, 9.0, {**new.answers, "d": Answer("new"), "log": Answer("new"), "/c/b/now": Answer("new")})
    joined = under(older, newer, ASKS)
    said = {key: answer.text for key, answer in joined.answers.items()}
    assert said == {"/c": "old", "/c/a/now": "old", "w": "old", "d": "old", "/s": "new", "log": "new"}
    assert joined.before == 1.0


def test_a_later_sample_gets_the_details_of_the_walk_before_it() -> None:
    joined = with_details(sample(2.0, w="later"), sample(1.0, w="whole", d="more", c="counted"), ASKS)
    assert joined == sample(2.0, d="more", w="later")


def test_a_sample_that_was_cut_makes_no_whole_one() -> None:
    cut = Sample(9.0, 9.0, {}, complete=False)
    assert not under(sample(1.0, c="old"), cut, ASKS).complete


def test_which_questions_are_asked_at_every_sample() -> None:
    assert {key_of(ask) for ask in repeated(ASKS)} == {"/c", "/c/*/now", "w"}
    assert {key_of(ask) for ask in details(ASKS)} == {"d"}


def test_a_pattern_is_answered_by_each_of_its_files() -> None:
    assert [key_of(ask) for ask in ASKS if asks_pattern(ask)] == ["/c/*/now", "/k*"]
    assert answers(Whole("/k*"), "/k1")
    assert not answers(Whole("/k*"), "/s")
    assert answers(Command("log", ("dmesg",)), "log")

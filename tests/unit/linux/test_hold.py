"""The mark of a hold: what is written is read, and nothing else is."""

from __future__ import annotations

import msgspec
import pytest

from memrunbook.linux.hold import MARKS, Mark, lines, place, read_mark

MARK = Mark(
    timer="memrunbook-20261128t213000z-abcd-12345678",
    action="freeze_unit",
    target="search-api.service",
    what="Freeze search-api.service, back after 5 min",
    run="20261128T213000Z-abcd",
    runbook="swap-thrashing",
    since=4711.25,
    seconds=300.0,
)
TEXT = "\n".join((*lines(MARK), "since 4711.25", ""))


def test_what_is_written_is_read() -> None:
    assert read_mark(TEXT) == MARK
    torn = msgspec.structs.replace(MARK, target="a\nsince 9", what="x" * 500)
    read = read_mark("\n".join((*lines(torn), "since 4711.25")))
    assert read is not None
    assert (read.target, len(read.what), read.since) == ("a since 9", 200, 4711.25)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("since 4711.25", ""),
        TEXT.replace("seconds 300", "seconds many"),
        TEXT.replace("timer memrunbook-", "timer sshd; "),
        TEXT.replace("target search-api.service", "target "),
        TEXT.replace("since 4711.25", "since " + "9" * 30),
    ],
)
def test_what_is_not_ours_or_half_written_is_no_mark(text: str) -> None:
    assert read_mark(text) is None


def test_the_same_state_has_the_same_place_and_another_another() -> None:
    assert place("set_sysctl", ("/f", "7")) == place("set_sysctl", ("/f", "7"))
    assert len({place("set_sysctl", args) for args in (("/f", "7"), ("/f", "8"), ("/f7", ""))}) == 3
    assert place("freeze_unit", ("a",)).rpartition("/")[0] == MARKS

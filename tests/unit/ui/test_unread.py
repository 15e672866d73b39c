"""A sudo that gave no root is named, with what that cost and what to allow."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.host import HostIdentity
from memrunbook.core.plan.headline import denied_facts
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.ui.block import Grid
from memrunbook.ui.layout import lay_out
from memrunbook.ui.unread import sudo_row, sudo_words

DENIED = Unavailable("denied", "permission denied")
PASSWORD = "sudo: a password is required"


def host(no_root: str, **readings: Reading | Unavailable) -> Snapshot:
    return structs.replace(s.snapshot(), no_root=no_root, readings=readings)


def said(snapshot: Snapshot) -> str:
    return sudo_words(snapshot.host, snapshot.no_root, denied_facts(snapshot))


@pytest.mark.parametrize(
    ("no_root", "words"),
    [
        (PASSWORD, "sudo on search-03 wants a password: 1 fact was not read"),
        (
            "sudo: a terminal is required to read the password",
            "sudo on search-03 wants a password: 1 fact was not read",
        ),
        ("sh: sudo: not found", "sudo on search-03 gave no root (sh: sudo: not found): 1 fact was not read"),
        ("", ""),
    ],
)
def test_the_words(no_root: str, words: str) -> None:
    assert said(host(no_root, oom=DENIED, memory=Reading())) == words


def test_facts_of_which_a_part_was_denied_count_and_what_is_absent_does_not() -> None:
    part = Reading(unavailable={"zones": DENIED})
    assert said(host(PASSWORD, oom=DENIED, slab=part)).endswith("2 facts were not read")
    absent = Unavailable("absent", "no such file")
    assert said(host(PASSWORD, oom=absent, slab=Reading(unavailable={"zones": absent}))) == ""


def test_the_row_says_what_to_allow() -> None:
    seen = structs.replace(host(PASSWORD, oom=DENIED), identity=HostIdentity(user="ada"))
    drawn = ["".join(span.text for span in line) for line in lay_out([Grid(tuple(sudo_row(seen)), indent=0)], None)]
    words = "sudo on search-03 wants a password: 1 fact was not read"
    allow = "add -K, which asks for it once, allow ada `sudo -n sh -s` (NOPASSWD in sudoers), or log in as root"
    assert drawn == [f"Sudo       {words}; {allow}"]
    assert sudo_row(host("", oom=DENIED)) == []

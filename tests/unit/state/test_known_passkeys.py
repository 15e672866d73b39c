"""Registered passkeys: each once, with a counter that never goes back, in a chain that shows what was changed."""

from __future__ import annotations

import base64
import threading
from pathlib import Path

import pytest
from tests.passkey import Passkey

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.state.known_passkeys import (
    KnownPasskey,
    add_passkey,
    known_passkeys,
    passkey_count,
    passkey_doubts,
    passkey_used,
    passkeys_file,
    remove_passkey,
)
from memrunbook.state.signatures import FaultySignatureError
from memrunbook.state.signers import Signers

AT = "2026-11-30T03:00:00+00:00"


def known(person: str = "ada", credential: str = "AAAA", passkey: Passkey | None = None) -> KnownPasskey:
    key = (passkey or Passkey()).key
    return KnownPasskey(
        person=person,
        credential=credential,
        key=base64.b64encode(key.blob).decode(),
        relying_party="localhost",
        at=AT,
    )


def test_what_was_added_is_known_in_order_until_it_is_removed(tmp_path: Path) -> None:
    assert list(known_passkeys(tmp_path)) == []
    assert remove_passkey(tmp_path, "AAAA", AT) is None
    assert not passkeys_file(tmp_path).exists(), "nothing is made by looking"
    ada, grace = known(), known("grace", "BBBB")
    add_passkey(tmp_path, ada)
    add_passkey(tmp_path, grace)
    assert passkeys_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert list(known_passkeys(tmp_path)) == [ada, grace]
    with pytest.raises(UsageError, match="registered already"):
        add_passkey(tmp_path, known("mallory"))
    assert remove_passkey(tmp_path, "AAAA", AT) == ada
    assert remove_passkey(tmp_path, "AAAA", AT) is None
    assert list(known_passkeys(tmp_path)) == [grace]
    again = known("mallory")
    add_passkey(tmp_path, again)
    assert list(known_passkeys(tmp_path)) == [grace, again]
    assert list(passkey_doubts(tmp_path)) == []


def test_its_line_is_one_that_allowed_signers_takes_for_this_person(tmp_path: Path) -> None:
    passkey = Passkey()
    one = known(passkey=passkey)
    (tmp_path / "allowed_signers").write_text(f"{one.allowed}\n")
    assert one.signing_key == passkey.key
    assert Signers.read(tmp_path / "allowed_signers", None).principals(passkey.key) == ("ada",)
    broken = KnownPasskey(person="ada", credential="A", key="%%", relying_party="localhost", at=AT)
    with pytest.raises(FaultySignatureError):
        _ = broken.signing_key


@pytest.mark.parametrize(
    ("counts", "taken"),
    [
        ([0, 0, 0], [True, True, True]),
        ([1, 2, 7], [True, True, True]),
        ([5, 5], [True, False]),
        ([5, 4, 6], [True, False, True]),
        ([5, 0], [True, False]),
    ],
)
def test_a_counter_that_goes_back_or_stands_still_is_not_taken_but_0_of_one_that_has_none_is(
    tmp_path: Path, counts: list[int], taken: list[bool]
) -> None:
    add_passkey(tmp_path, known())
    assert [passkey_used(tmp_path, "AAAA", count, AT) for count in counts] == taken
    assert passkey_count(tmp_path, "AAAA") == max(counts)
    assert not passkey_used(tmp_path, "CCCC", 9, AT), "nobody knows it"


def test_where_its_counter_stood_at_the_registration_counts_too(tmp_path: Path) -> None:
    add_passkey(tmp_path, known(), 3)
    assert not passkey_used(tmp_path, "AAAA", 3, AT)
    assert passkey_used(tmp_path, "AAAA", 4, AT)


def test_of_many_at_once_none_is_lost_and_of_one_credential_one_is_taken(tmp_path: Path) -> None:
    refused: list[UsageError] = []

    def add(number: int) -> None:
        try:
            add_passkey(tmp_path, known(f"person{number}", f"ID{number % 4}"))
        except UsageError as error:
            refused.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (len(known_passkeys(tmp_path)), len(refused)) == (4, 4)
    assert list(passkey_doubts(tmp_path)) == []


def test_what_was_changed_is_found_and_nothing_is_added_behind_it(tmp_path: Path) -> None:
    add_passkey(tmp_path, known())
    path = passkeys_file(tmp_path)
    path.write_text(path.read_text().replace('"person":"ada"', '"person":"eve"'))
    assert [one.where for one in passkey_doubts(tmp_path)] == [f"{path}:1"]
    with pytest.raises(JournalError, match="not what was sealed"):
        add_passkey(tmp_path, known("grace", "BBBB"))


def test_a_line_that_a_crash_cut_off_is_mended_by_the_next(tmp_path: Path) -> None:
    add_passkey(tmp_path, known())
    with passkeys_file(tmp_path).open("a") as file:
        file.write('{"at":"2026')
    assert [one.level for one in passkey_doubts(tmp_path)] == ["note"]
    add_passkey(tmp_path, known("grace", "BBBB"))
    assert [one.person for one in known_passkeys(tmp_path)] == ["ada", "grace"]
    assert list(passkey_doubts(tmp_path)) == []

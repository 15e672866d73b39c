"""The password goes to sudo's own question and to nothing else, and a wrong one goes nowhere twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from memrunbook.core.errors import SudoError
from memrunbook.runtime.redaction import redact
from memrunbook.runtime.secrets_told import told
from memrunbook.transports.shared.shell import NoShellError
from memrunbook.transports.shared.sudo import SudoPassword, WrongPasswordError, asking, become_root, no_root_for

NONCE = "n0n5e"
QUESTION, ROOT = f"@@{NONCE} sudo @".encode(), f"@@{NONCE} root @\n".encode()
WORD = "hunter-Seven7"


@pytest.fixture(autouse=True)
def _nothing_told() -> Iterator[None]:
    yield
    told.forget()


class Scripted:
    """A channel that says these pieces in turn; an exception among them is raised."""

    def __init__(self, *says: bytes | Exception) -> None:
        self.says = list(says)
        self.sent: list[bytes] = []

    def send(self, data: bytes, timeout: float) -> None:
        self.sent.append(data)

    def receive(self, timeout: float) -> bytes:
        said = self.says.pop(0) if self.says else b""
        if isinstance(said, Exception):
            raise said
        return said

    def close(self) -> None:
        """Nothing is open."""


def enter(channel: Scripted, password: SudoPassword | None = None, where: str = "web1") -> None:
    become_root(channel, password or SudoPassword(WORD), NONCE, where, 1.0)


def test_the_question_gets_the_password_in_whatever_pieces_it_comes() -> None:
    lecture = b"We trust you have received the usual lecture\n\n"
    channel = Scripted(lecture + QUESTION[:4], QUESTION[4:], b"\n", ROOT[:3], ROOT[3:])
    enter(channel)
    assert channel.sent == [f"{WORD}\n".encode()]


def test_a_sudo_that_does_not_ask_is_sent_nothing() -> None:
    channel = Scripted(b"a banner\n" + ROOT)
    enter(channel)
    assert channel.sent == []


@pytest.mark.parametrize(
    "says", [b"Password: ", b"[sudo] password for ada: ", b"@@other sudo @", b"Verification code: "]
)
def test_a_question_that_is_not_ours_gets_nothing(says: bytes) -> None:
    channel = Scripted(says, TimeoutError())
    with pytest.raises(NoShellError) as refused:
        enter(channel)
    assert (refused.value.said, refused.value.silent) == (says.decode(), True)
    assert channel.sent == []


@pytest.mark.parametrize(
    "then", [(b"\nSorry, try again.\n" + QUESTION,), (b"sudo: 1 incorrect password attempt\n", b""), (QUESTION,)]
)
def test_a_second_question_is_never_answered(then: Sequence[bytes]) -> None:
    channel, password = Scripted(QUESTION, *then), SudoPassword(WORD)
    with pytest.raises(SudoError, match="sudo refused the password") as refused:
        enter(channel, password)
    assert "lock the account" in refused.value.hint
    assert len(channel.sent) == 1
    again, other = Scripted(QUESTION), Scripted(QUESTION)
    with pytest.raises(SudoError, match="before: it is not tried again"):
        enter(again, password)
    with pytest.raises(SudoError, match="refused on web1: it was not tried here"):
        enter(other, password, "web2")
    assert again.sent == other.sent == []


def test_what_one_host_took_is_tried_once_on_each_other() -> None:
    password = SudoPassword(WORD)
    enter(Scripted(QUESTION, ROOT), password, "web1")
    with pytest.raises(SudoError, match="sudo refused the password"):
        enter(Scripted(QUESTION, QUESTION), password, "web2")
    enter(Scripted(QUESTION, ROOT), password, "web3")


def test_a_refusal_for_another_reason_is_told_as_sudo_said_it() -> None:
    said = b"\nada is not in the sudoers file.\n"
    password = SudoPassword(WORD)
    with pytest.raises(NoShellError) as refused:
        enter(Scripted(QUESTION, said, OSError("gone")), password)
    assert "not in the sudoers file" in refused.value.said
    enter(Scripted(QUESTION, ROOT), password)  # the password itself was not refused


def test_until_one_host_has_taken_it_only_one_is_tried() -> None:
    password, begun, go_on = SudoPassword(WORD), threading.Event(), threading.Event()
    tried: list[str] = []

    def refused(_: bytes) -> None:
        tried.append("web1")
        begun.set()
        go_on.wait(10)
        raise WrongPasswordError

    def first() -> None:
        with pytest.raises(SudoError):
            password.give("web1", refused)

    def second() -> None:
        with pytest.raises(SudoError, match="not tried here"):
            password.give("web2", lambda _: tried.append("web2"))

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert tried == ["web1"]


def test_it_is_hidden_from_the_moment_it_is_known() -> None:
    password = SudoPassword(WORD)
    assert redact(f"x {WORD} y") == "x [redacted] y"
    assert WORD not in repr(password)
    assert WORD not in " ".join(asking(NONCE))
    for value in ("a\nb", "abcd\0", "abc"):
        with pytest.raises(ValueError, match=r"password|secret"):
            SudoPassword(value)


def test_what_to_do_depends_on_what_sudo_said() -> None:
    assert "-K" in no_root_for("ada", "sudo: a password is required", "web1").hint
    assert "-K" not in no_root_for("ada", "ada is not in the sudoers file", "web1").hint

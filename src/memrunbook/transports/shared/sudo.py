"""Root by a sudo that asks for a password: typed once, sent to its own question alone, tried once on each host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from memrunbook.core.errors import SudoError
from memrunbook.runtime.secrets_told import told
from memrunbook.transports.shared.shell import Channel, NoShellError

WANTS_PASSWORD = ("password", "terminal is required", "askpass")
"""What sudo says where it would ask and may not."""
ONCE = "it was tried once, since further tries may lock the account: repeat the command to type it again"
_KEPT = 1 << 16
# What begins is a shell that says so before it reads. Until then nothing but the password is sent, and that only to a
# question that has our nonce: a sudo that does not ask gets none, and no shell takes the password for a command.
_BEGIN = 'printf "@@%s root @\\n" "$1"; exec sh -s'


class WrongPasswordError(Exception):
    """Sudo asked again."""


class SudoPassword:
    """A password for sudo; hidden from now on in whatever is kept or shown.

    Until a host has taken it, it is tried on one host at a time; where the first one refuses it, it is tried on no
    other: with an account that all hosts share, a mistyped password would lock it.
    """

    def __init__(self, value: str) -> None:
        """ValueError for one that is too short to be hidden, or that is no line."""
        if "\n" in value or "\0" in value:
            raise ValueError("a password is one line of text")
        told.add(value)
        self._value = value.encode() + b"\n"
        self._turn = threading.Lock()
        self._taken = False
        self._refused: list[str] = []

    def __repr__(self) -> str:
        return "SudoPassword(hidden)"

    @property
    def line(self) -> bytes:
        """The password as sudo reads it."""
        return self._value

    def give(self, where: str, answer: Callable[[bytes], None]) -> None:
        """Answers a question of sudo on a host; SudoError where it was refused there, or on the first host."""
        if self._taken:
            self._give(where, answer)
            return
        with self._turn:
            self._give(where, answer)

    def _give(self, where: str, answer: Callable[[bytes], None]) -> None:
        if where in self._refused:
            raise SudoError("sudo refused the password here before: it is not tried again", where=where, hint=ONCE)
        if self._refused and not self._taken:
            why = f"the password was refused on {self._refused[0]}: it was not tried here"
            raise SudoError(why, where=where, hint=ONCE)
        try:
            answer(self._value)
        except WrongPasswordError:
            self._refused.append(where)
            raise SudoError("sudo refused the password", where=where, hint=ONCE) from None
        self._taken = True


def no_root_for(user: str, said: str, where: str) -> SudoError:
    """That sudo gave a user no root, what it said, and what to do."""
    hint = "allow this user `sudo -n sh` (NOPASSWD), log in as root, or use --sudo never"
    if any(word in said for word in WANTS_PASSWORD):
        hint = "add -K, which asks for it once; or allow this user `sudo -n sh` (NOPASSWD), or log in as root"
    return SudoError(f"sudo refused for {user}: {said}", where=where, hint=hint)


def asking(nonce: str) -> tuple[str, ...]:
    """The words of a sudo whose question, and whose shell's first line, have this nonce."""
    return ("env", "LC_ALL=C", "sudo", "-S", "-p", _question(nonce), "sh", "-c", _BEGIN, "sh", nonce)


def become_root(channel: Channel, password: SudoPassword, nonce: str, where: str, seconds: float) -> None:
    """Answers sudo's question, if it asks; returns once the shell has begun and reads.

    SudoError where the password was refused; NoShellError, with what was said, where nothing began within `seconds`.
    """
    dialogue = _Dialogue(channel, nonce, time.monotonic() + seconds)
    if not dialogue.begun():
        password.give(where, dialogue.answer)


class _Dialogue:
    def __init__(self, channel: Channel, nonce: str, deadline: float) -> None:
        self._channel = channel
        self._question = _question(nonce).encode()
        self._root = f"@@{nonce} root @\n".encode()
        self._deadline = deadline
        self._came = b""

    def begun(self) -> bool:
        """True once the shell has begun, False once sudo asks."""
        while True:
            if self._root in self._came:
                return True
            if self._question in self._came:
                self._came = self._came.partition(self._question)[2]
                return False
            self._came = self._came[-_KEPT:] + self._received()

    def answer(self, line: bytes) -> None:
        """Sends the password; WrongPasswordError where sudo asks again, or says that it was wrong."""
        with suppress(OSError):  # what sudo said before it went says more
            self._channel.send(line, max(0.0, self._deadline - time.monotonic()))
        try:
            begun = self.begun()
        except NoShellError as refused:
            if "incorrect password" in refused.said or "Sorry, try again" in refused.said:
                raise WrongPasswordError from None
            raise
        if not begun:
            raise WrongPasswordError

    def _received(self) -> bytes:
        silent = False
        try:
            if data := self._channel.receive(self._deadline - time.monotonic()):
                return data
        except TimeoutError:
            silent = True
        except OSError:
            silent = False
        raise NoShellError(self._came.decode("utf-8", errors="backslashreplace"), silent=silent)


def _question(nonce: str) -> str:
    return f"@@{nonce} sudo @"

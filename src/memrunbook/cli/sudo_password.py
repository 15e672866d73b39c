"""Gets the password for sudo: asked at the terminal without echo, or read from a file descriptor; never from words."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from memrunbook.cli.targets import Targets
    from memrunbook.transports.shared.sudo import SudoPassword

TERMINAL = "/dev/tty"
PROMPT = "sudo password on the hosts (it is tried once on each): "
LONGEST = 1024
PATIENCE = 30.0
"""Seconds that whoever is at the other end of the file descriptor may take."""
STANDARD = 2
"""File descriptors up to here are everybody's and stay open."""


def sudo_password(targets: Targets, *, asks: bool) -> SudoPassword | None:
    """The password, None where none was announced; UsageError where it cannot be had. With `asks` it may be asked."""
    if not targets.ask_sudo_password and targets.sudo_password_fd is None:
        return None
    if targets.sudo == "never":
        raise UsageError("a password for sudo, and --sudo never", hint="leave one of them out")
    if targets.ask_sudo_password and targets.sudo_password_fd is not None:
        raise UsageError("-K asks for the password that --sudo-password-fd reads", hint="leave one of them out")
    from memrunbook.transports.shared.sudo import SudoPassword

    file = targets.sudo_password_fd
    typed, where = (_asked(asks=asks), "-K") if file is None else (_read(file), f"--sudo-password-fd {file}")
    if not typed:
        raise UsageError("no password was given", where=where, hint="one line of text, which sudo wants on the hosts")
    try:
        return SudoPassword(typed)
    except ValueError as error:
        raise UsageError(str(error), where=where, hint="use another password, or NOPASSWD in sudoers") from None


def _asked(*, asks: bool) -> str:
    elsewhere = "--sudo-password-fd N reads it from a file descriptor, as in: --sudo-password-fd 3 3</run/secret"
    if not asks:
        raise UsageError("-K asks, and --no-input (or --json) forbids it", hint=elsewhere)
    try:
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise UsageError("-K asks at a terminal, and there is none", hint=elsewhere) from None
    from getpass import getpass

    try:
        return getpass(PROMPT)
    except EOFError:
        return ""


def _read(file: int) -> str:
    """The first line, byte by byte: what follows belongs to somebody else."""
    where = f"--sudo-password-fd {file}"
    found = b""
    try:
        while len(found) <= LONGEST and not found.endswith(b"\n"):
            if not select.select([file], [], [], PATIENCE)[0]:
                hint = "as in: --sudo-password-fd 3 3</run/secret"
                raise UsageError(f"no password came within {PATIENCE:.0f} s", where=where, hint=hint)
            byte = os.read(file, 1)
            if not byte:
                break
            found += byte
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        hint = "open it in the shell, as in: --sudo-password-fd 3 3</run/secret"
        raise UsageError(f"it cannot be read: {said.lower()}", where=where, hint=hint) from None
    if file > STANDARD:
        os.close(file)  # no program that we start shall have it
    if len(found) > LONGEST:
        raise UsageError(f"more than {LONGEST} bytes without an end of the line", where=where, hint="give one line")
    try:
        return found.rstrip(b"\r\n").decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("the password is no text in UTF-8", where=where, hint="give one line of text") from None

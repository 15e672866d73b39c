"""How a host is reached, by Ansible's connection variables: what of them cannot be honoured refuses that host alone."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memrunbook.core.errors import UsageError
from memrunbook.core.host import LAST_PORT
from memrunbook.core.text import clean
from memrunbook.documents.inventory.computed import NotKnown, plain
from memrunbook.documents.inventory.gathered import Given, Variables

ADDRESS = ("ansible_ssh_host", "ansible_host")
PORT = ("ansible_ssh_port", "ansible_port")
USER = ("ansible_ssh_user", "ansible_user")
KEY = ("ansible_ssh_private_key_file", "ansible_private_key_file")
ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
BECOME, METHOD = ("ansible_become", "ansible_sudo"), ("ansible_become_method",)
BECOME_USER = ("ansible_become_user", "ansible_sudo_user")
CONNECTION, SHELL = ("ansible_connection",), ("ansible_shell_type",)
NO_UNIX = frozenset({"powershell", "cmd"})
MEND = "mend the line, or leave this host out"
LEAVE = "leave such hosts out, as in --limit 'all:!GROUP'"
BY_SSH = frozenset({"ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh", "ansible.builtin.paramiko_ssh"})
HERE = frozenset({"local", "ansible.builtin.local"})
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1", "local"})
YES, NO = (
    frozenset({"y", "yes", "on", "1", "true", "t", "1.0"}),
    frozenset({"n", "no", "off", "0", "false", "f", "0.0"}),
)
NOT_USED = {
    "ansible_password": "logins are made by keys alone",
    "ansible_ssh_pass": "logins are made by keys alone",
    "ansible_ssh_password": "logins are made by keys alone",
    "ansible_become_password": "what sudo asks for is asked for once, by -K",
    "ansible_become_pass": "what sudo asks for is asked for once, by -K",
    "ansible_sudo_pass": "what sudo asks for is asked for once, by -K",
    "ansible_host_key_checking": "host keys are always checked",
    "ansible_ssh_host_key_checking": "host keys are always checked",
}
"""Variables of Ansible that say how a host is reached, and that nobody is served by here: why."""
READ = (
    *ADDRESS, *PORT, *USER, *KEY, *ARGUMENTS, *BECOME, *METHOD, *BECOME_USER, *CONNECTION, *SHELL, *NOT_USED,
    "ansible_hostname", "ansible_group_priority",
)  # fmt: skip
"""Those that there are, as far as another word could be one of them misspelt."""


Accepts = Callable[[tuple[str, ...]], None]


def nothing_refused(_words: tuple[str, ...]) -> None:
    """Accepts all words for ssh: whoever connects looks at them."""


@dataclass(frozen=True)
class Connection:
    """The variables of one host as far as they say how it is reached; NotKnown, or ValueError with what is wrong.

    `own` are the words that Ansible itself gives the host, as its name there; `accepts` raises UsageError for words of
    ssh's command line that cannot be honoured.
    """

    name: str
    variables: Variables
    own: Mapping[str, str]
    folder: Path
    accepts: Accepts = nothing_refused

    def host(self) -> dict[str, Any]:
        """What of a Host these variables say."""
        transport = self._transport()
        if transport == "local":
            return {"transport": "local", "sudo": self._sudo()}
        return {
            "address": self._text(ADDRESS).removeprefix("[").removesuffix("]"),
            "user": self._text(USER),
            "port": self._port(),
            "identities": self._keys(),
            "ssh_args": tuple(self._arguments()),
            "sudo": self._sudo(),
        }

    def _first(self, names: tuple[str, ...]) -> tuple[str, Given] | None:
        return next(((name, self.variables[name]) for name in names if name in self.variables), None)

    def _value(self, names: tuple[str, ...]) -> Any:
        found = self._first(names)
        return None if found is None else plain(*found, self.variables, self.own)

    def _text(self, names: tuple[str, ...]) -> str:
        value = self._value(names)
        if value is not None and not isinstance(value, str | int):
            raise self._wrong(names, "must be a word", value)
        text = "" if value is None else str(value).strip()
        if text.startswith("-") or any(character.isspace() for character in text):
            raise self._wrong(names, "must be a word", value)
        return text

    def _port(self) -> int:
        value = self._value(PORT)
        if value is None or value == "":
            return 0
        text = str(value)
        if isinstance(value, bool) or not text.isascii() or not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
            raise self._wrong(PORT, "must be a port from 1 to 65535", value)
        return int(text)

    def _keys(self) -> tuple[str, ...]:
        value = self._value(KEY)
        if not value:
            return ()
        if not isinstance(value, str):
            raise self._wrong(KEY, "must be a path", value)
        path = Path(value).expanduser()
        beside = self.folder / path
        return (str(beside if not path.is_absolute() and not path.exists() and beside.exists() else path.absolute()),)

    def _arguments(self) -> Iterator[str]:
        for name in ARGUMENTS:
            value = self._value((name,))
            if value is not None and not isinstance(value, str | int):  # -4 in INI is a number
                raise self._wrong((name,), "must be words of a command line", value)
            try:
                words = tuple(shlex.split("" if value is None else str(value)))
                self.accepts(words)
            except ValueError:
                raise self._wrong((name,), "has a quote that is never closed", value) from None
            except UsageError as refused:
                raise NotKnown(f"{refused.message} ({self.variables[name].where})", refused.hint) from None
            yield from words

    def _sudo(self) -> str:
        value = self._value(BECOME)
        if value is None or value == "":
            return ""
        word = str(value).lower()
        if word not in YES | NO:
            raise self._wrong(BECOME, "must be yes or no", value)
        if word in NO:
            return "never"
        for names, wanted in ((METHOD, "sudo"), (BECOME_USER, "root")):
            found = self._value(names)
            if found not in (None, "", wanted, f"ansible.builtin.{wanted}"):
                raise self._wrong(names, f"must be {wanted}: only sudo to root is used here", found)
        return "always"

    def _transport(self) -> str:
        value = self._value(CONNECTION)
        if value is None or value in BY_SSH:
            self._refuse_windows()
            return "ssh"
        if value in HERE and self.name in THIS_MACHINE:
            return "local"
        where = self.variables[CONNECTION[0]].where
        if value in HERE:
            what = f"ansible_connection is local ({where}), and this machine is worked on under its own name alone"
            raise NotKnown(what, "--host local")
        raise NotKnown(
            f"ansible_connection is {clean(str(value))} ({where}), and hosts are reached by ssh alone", LEAVE
        )

    def _refuse_windows(self) -> None:
        shell = self._value(SHELL)
        if shell in NO_UNIX:
            raise NotKnown(f"ansible_shell_type is {shell} ({self.variables[SHELL[0]].where}): this is no Linux", LEAVE)

    def _wrong(self, names: tuple[str, ...], what: str, value: object) -> NotKnown:
        name, given = self._first(names) or (names[-1], Given(value, ""))
        return NotKnown(f"{name} {what}, is {clean(str(value))} ({given.where})", MEND)


def not_used(variables: Variables, told: Callable[[str, str, str], None]) -> None:
    """Tells which variables are of no use as they are: their place, what they are, and why."""
    for name, why in NOT_USED.items():
        if name in variables:
            told(variables[name].where, f"{name} is not used", why)
    for name in ADDRESS:
        if name in variables and variables[name].value in ("", None):
            told(variables[name].where, f"{name} is empty", "the host is reached by its own name")
    for name in ARGUMENTS:
        if name in variables and "stricthostkeychecking" in str(variables[name].value).lower():
            told(variables[name].where, f"StrictHostKeyChecking in {name} is not used", "host keys are always checked")

"""The exact command to type next: for one host or several, with the options that were given and that it needs too."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from msgspec import structs

from memrunbook.core.host import LOCAL, Host
from memrunbook.core.ranges import compact, names_in

if TYPE_CHECKING:
    from memrunbook.core.run.record import Order

# Options that say how to reach the host or what to run, by their parameter: they belong to the next command too.
KEPT = frozenset({
    "identity", "known_hosts", "ssh_config", "sudo", "transport", "runbooks", "config_dir", "state_dir", "parameters",
    "patience", "allow", "reason", "forks", "watch", "accept_new_host_keys", "yes", "tag", "store", "ask_sudo_password",
    "inventory", "serial", "max_failures", "retry_file", "distribute",
})  # fmt: skip

WAY = frozenset({
    "inventory", "identity", "known_hosts", "ssh_config", "sudo", "runbooks", "config_dir", "patience", "forks",
    "accept_new_host_keys", "store", "ask_sudo_password",
})  # fmt: skip


NO_POSITION = re.compile(r"\[0\d+:")
"""A range of numbers with leading zeros, which no inventory takes for positions in a group."""
LISTED = 60
"""Columns of a list of hosts on a command line."""
PLANNED = frozenset({
    "transport", "parameters", "watch", "tag", "allow", "yes", "serial", "max_failures", "retry_file", "distribute",
})  # fmt: skip
"""What of that a saved plan holds, or needs no more."""


CONSENT = frozenset({"yes", "allow"})
"""They stand last: whoever copies half of a command says yes to nothing, least of all without its limits."""


def kept_options(*without: str, more: Sequence[str] = ()) -> list[str]:
    """The words of the options of the command under way that its successor needs too, `without` some of them.

    `more` words are those that it gets beside them.
    """
    kept = KEPT.difference(without)
    return [*_typed(kept - CONSENT), *more, *_typed(kept & CONSENT)]


class OptionsOf:
    """The options that were typed of the command under way, for any other command that has them too.

    Their paths are absolute. It may be asked later, by any thread.
    """

    def __init__(self, *without: str) -> None:
        context = click.get_current_context()
        names = [option.name for option in context.command.params if option.name in KEPT.difference(without)]
        self._root = context.find_root()
        self._words = {name: _typed([name], _absolute) for name in names if name}

    def __call__(self, words: Sequence[str]) -> list[str]:
        """For the command of these words."""
        command: click.Command | None = self._root.command
        for word in words:
            if not isinstance(command, click.Group) or (inside := command.get_command(self._root, word)) is None:
                break
            command = inside
        known = {option.name for option in command.params} if command else set()
        return [word for name, typed in self._words.items() if name in known for word in typed]


def way_options(without: Collection[str] = ()) -> tuple[str, ...]:
    """The words of the options of the command under way that say how hosts are reached and where runbooks are found.

    Their paths are absolute: whoever goes on with a run may be somewhere else.
    """
    return tuple(_typed(WAY.difference(without), _absolute))


def _typed(names: Collection[str], written: Callable[[object], object] = lambda value: value) -> list[str]:
    """The words of those of the options that were typed, in the order of the command's help."""
    context = click.get_current_context()
    words: list[str] = []
    for option in context.command.params:
        typed = option.name and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        if isinstance(option, click.Option) and option.name in names and typed:
            words += _words(option, written(context.params[option.name]))
    return words


def _absolute(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_absolute(one) for one in value)
    return value.absolute() if isinstance(value, Path) else value


def reach(*hosts: Host, without: Collection[str] = (), more: Sequence[str] = ()) -> str:
    """The options that reach these hosts and no others, as in "--host 'web[01:14]' --identity key", and `more`."""
    recorded = [word for host in hosts if host.transport == "replay" for word in ("--replay", host.source)]
    real = [host for host in hosts if host.transport != "replay"]
    named = [word for words in _lists(_named(real)) for word in ("--host", words)]
    return shlex.join([*recorded, *named, *kept_options(*without, more=more)])


def _named(hosts: Sequence[Host]) -> Iterator[str]:
    """As few words as may be; but web[1:3] is written out: where an inventory has a group `web`, it means positions."""
    for word in compact(host.typed for host in hosts):
        yield from (word,) if "[" not in word or NO_POSITION.search(word) else names_in(word)


def _lists(words: Iterable[str]) -> Iterator[str]:
    """Lists between commas, short enough for a line of a terminal: so none is folded inside a name."""
    begun = ""
    for word in words:
        if begun and len(begun) + len(word) >= LISTED:
            yield begun
            begun = ""
        begun = f"{begun},{word}" if begun else word
    if begun:
        yield begun


def parameter_words(values: Mapping[str, str]) -> str:
    """Parameters as they are typed, as in "-p order=9 -p window=1h"."""
    return shlex.join([word for name, value in values.items() for word in ("-p", f"{name}={value}")])


def begun_words(order: Order) -> list[str]:
    """How a run was begun, beside its hosts, the way there and its retry file: options that `resume` does not have."""
    transports = {host.transport for host in order.hosts if host.transport != LOCAL} - {"ssh"}
    tags = [tag for tag in order.hosts[0].tags if all(tag in host.tags for host in order.hosts)]
    rollout, watch = order.rollout, [] if order.watch is None else [f"{order.watch:g}s"]
    pairs = {
        "--transport": sorted(transports),
        "--tag": tags,
        "--serial": [",".join(rollout.serial)] if rollout.serial else [],
        "--max-failures": [rollout.max_failures] if rollout.max_failures else [],
        "--watch": watch,
        "-p": [f"{name}={value}" for name, value in order.parameters.items()],
    }
    return [word for option, values in pairs.items() for value in values for word in (option, value)]


def diagnose_command(*hosts: Host) -> str:
    """`runbook diagnose --host HOST …` with the options that were given."""
    return f"runbook diagnose {reach(*hosts)}"


def doctor_command(*hosts: Host) -> str:
    """`runbook doctor --host HOST …` with those of the options that were given that it has.

    Empty where workers reach the hosts: it looks from here.
    """
    if click.get_current_context().params.get("distribute"):
        return ""
    return f"runbook doctor {reach(*hosts, without=('parameters', 'watch', 'distribute'))}"


def run_command(runbook: str, *hosts: Host, more: Sequence[str] = ()) -> str:
    """`runbook run NAME --host HOST …` with the options that were given."""
    real = [structs.replace(host, transport="ssh") for host in hosts]  # a recording shows what is then done on hosts
    without = ("retry_file",)  # it names all who are left, and this command may be for one of them
    return f"{shlex.join(['runbook', 'run', runbook])} {reach(*real, without=without, more=more)}"


def apply_command(plan: Path) -> str:
    """`runbook apply FILE …` with the options that were given."""
    return shlex.join(["runbook", "apply", str(plan), *kept_options(*PLANNED)])


def approve_command(plan: Path) -> str:
    """`runbook approve FILE …`, with the folder of the configuration and the store where they were given."""
    return shlex.join(["runbook", "approve", str(plan), *kept_options(*KEPT - {"config_dir", "store"})])


def _words(option: click.Option, value: object) -> list[str]:
    name = option.opts[0]
    if option.is_flag:
        return [name]
    values = value if isinstance(value, tuple) else (value,)
    return [word for one in values for word in (name, str(one))]

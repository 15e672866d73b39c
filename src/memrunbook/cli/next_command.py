"""The exact command to type next: for one host, with the options that were given and that it needs too."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import click
from click.core import ParameterSource
from msgspec import structs

from memrunbook.core.host import Host

# Options that say how to reach the host or what to run, by their parameter: they belong to the next command too.
KEPT = frozenset({
    "identity", "known_hosts", "ssh_config", "sudo", "transport", "runbooks", "config_dir", "state_dir", "parameters",
    "patience", "allow", "reason", "forks", "watch", "accept_new_host_keys", "yes", "tag", "store", "ask_sudo_password",
    "inventory",
})  # fmt: skip

WAY = frozenset({
    "inventory", "identity", "known_hosts", "ssh_config", "sudo", "runbooks", "config_dir", "patience", "forks",
    "accept_new_host_keys", "store", "ask_sudo_password",
})  # fmt: skip


PLANNED = frozenset({"transport", "parameters", "watch", "tag", "allow", "yes"})
"""What of that a saved plan holds, or needs no more."""


def kept_options(*without: str) -> list[str]:
    """The words of the options of the command under way that its successor needs too, `without` some of them."""
    context = click.get_current_context()
    words: list[str] = []
    for option in context.command.params:
        typed = option.name and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        if isinstance(option, click.Option) and option.name in KEPT.difference(without) and typed:
            words += _words(option, context.params[option.name])
    return words


def way_options() -> tuple[str, ...]:
    """The words of the options of the command under way that say how hosts are reached and where runbooks are found.

    Their paths are absolute: whoever goes on with a run may be somewhere else.
    """
    context = click.get_current_context()
    words: list[str] = []
    for option in context.command.params:
        typed = option.name and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        if isinstance(option, click.Option) and option.name in WAY and typed:
            words += _words(option, _absolute(context.params[option.name]))
    return tuple(words)


def _absolute(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_absolute(one) for one in value)
    return value.absolute() if isinstance(value, Path) else value


def reach(host: Host, without: str = "") -> str:
    """The options that reach a host again, as in "--host ada@search-03 --identity key"."""
    whom = ["--replay", host.source] if host.transport == "replay" else ["--host", host.typed]
    return shlex.join([*whom, *kept_options(*([without] if without else []))])


def parameter_words(values: Mapping[str, str]) -> str:
    """Parameters as they are typed, as in "-p order=9 -p window=1h"."""
    return shlex.join([word for name, value in values.items() for word in ("-p", f"{name}={value}")])


def run_command(runbook: str, host: Host, *more: str) -> str:
    """`runbook run NAME --host HOST …` with the options that were given."""
    real = structs.replace(host, transport="ssh")  # a recording shows what a run would do; it is done on the host
    return " ".join([shlex.join(["runbook", "run", runbook]), reach(real), *([shlex.join(more)] if more else [])])


def apply_command(plan: Path) -> str:
    """`runbook apply FILE …` with the options that were given."""
    return shlex.join(["runbook", "apply", str(plan), *kept_options(*PLANNED)])


def approve_command(plan: Path) -> str:
    """`runbook approve FILE …`, with the folder of the configuration where it was given."""
    return shlex.join(["runbook", "approve", str(plan), *kept_options(*KEPT - {"config_dir"})])


def _words(option: click.Option, value: object) -> list[str]:
    name = option.opts[0]
    if option.is_flag:
        return [name]
    values = value if isinstance(value, tuple) else (value,)
    return [word for one in values for word in (name, str(one))]

"""The options that commands share, in groups: each group is handed to a command as one value."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from memrunbook.cli.completing import complete_files, complete_formats, complete_hosts
from memrunbook.cli.formats import Format, format_of
from memrunbook.cli.reply import Color
from memrunbook.cli.targets import Targets, inventory_path, with_defaults
from memrunbook.cli.whole_commands import keep_commands_whole
from memrunbook.core.errors import UsageError
from memrunbook.core.units import parse_duration
from memrunbook.documents.library import Library, usual_library

Decorated = Callable[..., Any]


@dataclass(frozen=True)
class OptionGroup:
    """Options by the name of their parameter; a command gets what `build` makes of them as its argument `name`."""

    name: str
    build: Callable[..., object]
    options: Mapping[str, Decorated]


def common(*groups: OptionGroup) -> Callable[[Decorated], Decorated]:
    """Adds groups of options to a command."""

    def decorate(function: Decorated) -> Decorated:
        @wraps(function)
        def wrapped(**values: Any) -> Any:
            keep_commands_whole()
            for group in groups:
                values[group.name] = group.build(**{name: values.pop(name) for name in group.options})
            if isinstance(values.get("targets"), Targets):
                values["targets"] = with_defaults(values["targets"], values.get("library"))
            return function(**values)

        for option in reversed([option for group in groups for option in group.options.values()]):
            wrapped = option(wrapped)
        return wrapped

    return decorate


@dataclass(frozen=True)
class OutputOptions:
    """How an answer is written."""

    format: Format
    color: Color = "auto"
    verbose: bool = False
    quiet: bool = False


def _path(*names: str, text: str, multiple: bool = False) -> Decorated:
    return click.option(*names, type=click.Path(path_type=Path), multiple=multiple, help=text)


def _output(*, as_json: bool, format_name: str | None, color: Color, verbose: bool) -> OutputOptions:
    if as_json and format_name not in (None, "json"):
        raise UsageError(f"--json and --format {format_name} ask for two formats", hint="leave one of them out")
    return OutputOptions(format_of(format_name or ("json" if as_json else "text")), color, verbose)


OUTPUT = OptionGroup(
    "output",
    _output,
    {
        "as_json": click.option("--json", "as_json", is_flag=True, help="Short for --format json; implies --no-input."),
        "format_name": click.option(
            "--format",
            "format_name",
            metavar="NAME",
            shell_complete=complete_formats,
            help="text (default), json, or jsonl: one line a host.",
        ),
        "color": click.option(
            "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour of the output."
        ),
        "verbose": click.option("-v", "--verbose", is_flag=True, help="Say more."),
    },
)


COLOR = OptionGroup("color", lambda *, color: color, {"color": OUTPUT.options["color"]})


def _library(*, runbooks: tuple[Path, ...], config_dir: Path | None) -> Library:
    return usual_library(runbooks, config_dir)


LIBRARY = OptionGroup(
    "library",
    _library,
    {
        "runbooks": _path("--runbooks", text="A folder of runbooks, searched first.", multiple=True),
        "config_dir": _path(
            "--config-dir", text="The folder of config.yaml, services.yaml, schedules.yaml, runbooks/."
        ),
    },
)


CONFIG = OptionGroup(
    "library", lambda *, config_dir: usual_library((), config_dir), {"config_dir": LIBRARY.options["config_dir"]}
)


def _state(*, state_dir: Path | None) -> Path:
    from memrunbook.state.paths import state_dir as find

    return find(str(state_dir) if state_dir else None, os.environ, os.getuid())


def _as_store(value: str | Path) -> str | Path:
    """A store: a URL without a password, or a path, made absolute; UsageError for one with a password."""
    from memrunbook.runtime.outside import holds_password, is_file

    if holds_password(str(value)):
        raise UsageError(
            "a password on a command line is seen by everybody on this machine",
            where="--store",
            hint="leave it out, and put it into ~/.pgpass, or into a file that config.yaml names (password_file)",
        )
    return Path(value).expanduser().absolute() if is_file(str(value)) else value


STORE = OptionGroup(
    "store",
    lambda *, store: str(store or ""),
    {
        "store": click.option(
            "--store",
            type=_as_store,
            metavar="URL|FILE",
            help="Where runs of several users or control nodes know of one another; else $RUNBOOK_STORE, config.yaml.",
        )
    },
)
STATE = OptionGroup("state", _state, {"state_dir": _path("--state-dir", text="Where journals are kept.")})
NO_HISTORY = click.option("--no-history", is_flag=True, help="Keep nothing of these readings for runbook history.")
HISTORY = OptionGroup("history", lambda *, no_history: not no_history, {"no_history": NO_HISTORY})
REACH: Mapping[str, Decorated] = {
    "host": click.option(
        "--host",
        multiple=True,
        metavar="HOST",
        shell_complete=complete_hosts,
        help="[user@]name[:port], local, a pattern of the inventory, @FILE; repeatable, comma lists, web[01:20].",
    ),
    "inventory": click.option(
        "--inventory",
        "-i",
        multiple=True,
        metavar="FILE",
        type=inventory_path,
        shell_complete=complete_files,
        help="An inventory as of Ansible: a file, folder or program, ansible:FILE, or a,b; else $RUNBOOK_INVENTORY.",
    ),
    "limit": click.option(
        "--limit",
        "-l",
        multiple=True,
        metavar="PATTERN",
        shell_complete=complete_hosts,
        help="Only these of the hosts, as in 'web:&prod:!web7', or @FILE.",
    ),
    "identity": _path("--identity", text="A private key to log in with.", multiple=True),
    "known_hosts": _path("--known-hosts", text="A known_hosts file.", multiple=True),
    "ssh_config": _path("--ssh-config", text="An ssh_config file instead of the user's and the system's."),
    "accept_new_host_keys": click.option(
        "--accept-new-host-keys", is_flag=True, help="Trust and remember host keys seen for the first time."
    ),
    "sudo": click.option(
        "--sudo", type=click.Choice(["auto", "always", "never"]), default="auto", help="Root on the host by sudo -n."
    ),
    "ask_sudo_password": click.option(
        "-K",
        "--ask-sudo-password",
        "ask_sudo_password",
        is_flag=True,
        help="Ask once for the password that sudo wants on the hosts.",
    ),
    "sudo_password_fd": click.option(
        "--sudo-password-fd", type=click.IntRange(0), metavar="N", help="Read that password from file descriptor N."
    ),
    "transport": click.option(
        "--transport",
        default="ssh",
        metavar="NAME",
        show_default=True,
        help="How hosts are reached: ssh, or openssh (its client).",
    ),
    "patience": click.option(
        "--patience",
        metavar="TIME",
        help="How long to wait for a slow host, as in 90s; default 5m on a terminal, 20s elsewhere, 60s for a read.",
    ),
    "forks": click.option(
        "--forks",
        default=50,
        type=click.IntRange(1, 200),
        help="Hosts at work at once; those that wait for a sample do not count.",
        show_default=True,
    ),
    "no_input": click.option("--no-input", is_flag=True, help="Never ask: a gate that would ask refuses."),
    "tag": click.option(
        "--tag",
        multiple=True,
        metavar="TAG",
        help="What the named hosts are, for conditions over host.tags; realtime: no swap is fine there; kubernetes, "
        "quorum, standby, hypervisor: what may not be done there is refused. Repeatable.",
    ),
}
HOSTS = OptionGroup("targets", Targets, REACH)
HOSTS_IF_NAMED = OptionGroup("targets", partial(Targets, only_named=True), REACH)


def _planned(**values: Any) -> Targets:
    """Which hosts and how they are called stands in the plan."""
    return Targets(host=(), transport="ssh", tag=(), **values)


CHOSEN = frozenset({"host", "limit", "transport", "tag"})
"""What says which hosts are meant and what they are: a plan, or a run, holds it."""
PLANNED_HOSTS = OptionGroup("targets", _planned, {name: option for name, option in REACH.items() if name not in CHOSEN})
RECORDED = "A recording instead of a host, or a folder of them; -l chooses among them. Repeatable."
HOSTS_OR_REPLAY = OptionGroup("targets", Targets, {**REACH, "replay": _path("--replay", text=RECORDED, multiple=True)})
WATCH = OptionGroup(
    "watch",
    lambda *, watch: seconds(watch, "--watch"),
    {
        "watch": click.option(
            "--watch",
            metavar="TIME",
            help="Read every 10 s for so long before judging, as in 5m (10s to 1h): what grows, what only warms up.",
        )
    },
)


def seconds(text: str | None, option: str) -> float | None:
    """A time like 90s in seconds; UsageError for anything else."""
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise UsageError(message, where=option, hint=hint) from None


def _pairs(*, parameters: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for word in parameters:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise UsageError(f"{word!r} sets nothing", where="-p", hint="write NAME=VALUE, as in -p order=9")
        pairs[name] = value
    return pairs


PARAMETERS = OptionGroup(
    "parameters",
    _pairs,
    {
        "parameters": click.option(
            "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the runbook."
        )
    },
)


@dataclass(frozen=True)
class GateOptions:
    """What is answered beforehand, why, and whether the lock of a host is taken over."""

    yes: bool
    allow: tuple[str, ...]
    reason: str
    break_lock: bool


def gates(metavar: str, allow: str, *, yes: bool = True) -> OptionGroup:
    """The options of a command whose changes stand behind gates; `metavar` and `allow` explain what can be allowed.

    Without `yes` no gate is answered by that.
    """
    options = {
        "yes": click.option(
            "--yes", is_flag=True, help="Answer the gates of low risk with yes; never more than those."
        ),
        "allow": click.option("--allow", multiple=True, metavar=metavar, help=allow),
        "reason": click.option("--reason", default="", metavar="TEXT", help="Why this is done; kept in the journal."),
        "break_lock": click.option(
            "--break-lock",
            is_flag=True,
            help="Take over the host's lock where no command is at work; an idle shell that holds it is ended.",
        ),
    }
    if yes:
        return OptionGroup("gate", GateOptions, options)
    del options["yes"]
    return OptionGroup("gate", partial(GateOptions, yes=False), options)

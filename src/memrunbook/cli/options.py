"""The options that commands share, in groups: each group is handed to a command as one value."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from memrunbook.cli.formats import Format, format_of
from memrunbook.cli.reply import Color
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
            for group in groups:
                values[group.name] = group.build(**{name: values.pop(name) for name in group.options})
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


@dataclass(frozen=True)
class Targets:
    """Which hosts, and how they are reached; what is empty is as `ssh` would."""

    host: tuple[str, ...]
    identity: tuple[Path, ...]
    known_hosts: tuple[Path, ...]
    ssh_config: Path | None
    accept_new_host_keys: bool
    sudo: Any
    transport: str
    patience: str | None
    forks: int
    no_input: bool
    tag: tuple[str, ...] = ()
    replay: Path | None = None


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
            "--format", "format_name", metavar="NAME", help="How to write the answer: text (default) or json."
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
        "config_dir": _path("--config-dir", text="The folder of config.yaml, services.yaml, runbooks/."),
    },
)


def _state(*, state_dir: Path | None) -> Path:
    from memrunbook.state.paths import state_dir as find

    return find(str(state_dir) if state_dir else None, os.environ, os.getuid())


STATE = OptionGroup("state", _state, {"state_dir": _path("--state-dir", text="Where journals are kept.")})
REACH: Mapping[str, Decorated] = {
    "host": click.option(
        "--host",
        multiple=True,
        metavar="HOST",
        help="[user@]name[:port], or local; repeatable, comma lists, web[01:20].",
    ),
    "identity": _path("--identity", text="A private key to log in with.", multiple=True),
    "known_hosts": _path("--known-hosts", text="A known_hosts file.", multiple=True),
    "ssh_config": _path("--ssh-config", text="An ssh_config file instead of ~/.ssh/config."),
    "accept_new_host_keys": click.option(
        "--accept-new-host-keys", is_flag=True, help="Trust and remember host keys seen for the first time."
    ),
    "sudo": click.option(
        "--sudo", type=click.Choice(["auto", "always", "never"]), default="auto", help="Root on the host by sudo -n."
    ),
    "transport": click.option(
        "--transport", default="ssh", metavar="NAME", show_default=True, help="How hosts other than local are reached."
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


def _planned(**values: Any) -> Targets:
    """Which hosts and how they are called stands in the plan."""
    return Targets(host=(), transport="ssh", tag=(), **values)


PLANNED_HOSTS = OptionGroup(
    "targets", _planned, {name: option for name, option in REACH.items() if name not in ("host", "transport", "tag")}
)
HOSTS_OR_REPLAY = OptionGroup(
    "targets", Targets, {**REACH, "replay": _path("--replay", text="Recorded answers instead of a host.")}
)
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

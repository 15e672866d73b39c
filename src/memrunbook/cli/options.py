"""The options that commands share, and the settings that they make."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click

from memrunbook.core.errors import UsageError
from memrunbook.core.units import parse_duration

Decorated = Callable[..., Any]

WATCH_EVERY = 10.0
WATCH_LEAST, WATCH_MOST = 10.0, 3600.0
WATCH_READINGS = 9
"""A trend needs eight readings; a short watch takes this many, closer together."""


@dataclass(frozen=True)
class Settings:
    """What the common options say."""

    host: tuple[str, ...] = ()
    replay: Path | None = None
    identity: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    ssh_config: Path | None = None
    accept_new_host_keys: bool = False
    sudo: Literal["auto", "always", "never"] = "auto"
    patience: float | None = None
    watch: float | None = None
    forks: int = 50
    runbooks: tuple[Path, ...] = ()
    config_dir: Path | None = None
    state_dir: Path | None = None
    json: bool = False
    no_input: bool = False
    color: Literal["auto", "always", "never"] = "auto"
    verbose: bool = False
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def config_dirs(self) -> list[Path]:
        """Where config files are looked for, in order."""
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "memrunbook"
        own = [self.config_dir] if self.config_dir else []
        return [*own, base, Path("/etc/memrunbook")]

    @property
    def runbook_dirs(self) -> list[Path]:
        """Where runbooks are looked for before the shipped ones, in order; never the current folder."""
        named = [Path(part) for part in os.environ.get("RUNBOOK_PATH", "").split(os.pathsep) if part]
        return [*self.runbooks, *named, *(folder / "runbooks" for folder in self.config_dirs)]

    def sampling(self, count: int, every: float) -> tuple[int, float]:
        """How many readings a judgement rests on and the seconds between them: those of `--watch`, else these."""
        if self.watch is None:
            return count, every
        if self.replay is not None:
            raise UsageError("a recording has the readings that it has", where="--watch", hint="leave it out")
        apart = min(WATCH_EVERY, self.watch / (WATCH_READINGS - 1))
        return int(self.watch / apart) + 1, apart

    def config_file(self, name: str) -> Path:
        """The first of the config folders' files of that name, else where it would be."""
        places = [folder / name for folder in self.config_dirs]
        return next((place for place in places if place.exists()), places[-1])


def _path(*names: str, text: str, multiple: bool = False) -> Decorated:
    return click.option(*names, type=click.Path(path_type=Path), multiple=multiple, help=text)


OUTPUT = (
    click.option("--json", is_flag=True, help="One JSON document on stdout; implies --no-input."),
    click.option(
        "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour of the output."
    ),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
)
LIBRARY = (
    _path("--runbooks", text="A folder of runbooks, searched first.", multiple=True),
    _path("--config-dir", text="The folder of services.yaml and runbooks/."),
)
STATE = (_path("--state-dir", text="Where journals are kept."),)
HOSTS = (
    click.option(
        "--host",
        multiple=True,
        metavar="HOST",
        help="[user@]name[:port], or local; repeatable, comma lists, web[01:20].",
    ),
    _path("--identity", text="A private key to log in with.", multiple=True),
    _path("--known-hosts", text="A known_hosts file.", multiple=True),
    _path("--ssh-config", text="An ssh_config file instead of ~/.ssh/config."),
    click.option("--accept-new-host-keys", is_flag=True, help="Trust and remember host keys seen for the first time."),
    click.option(
        "--sudo", type=click.Choice(["auto", "always", "never"]), default="auto", help="Root on the host by sudo -n."
    ),
    click.option(
        "--patience",
        metavar="TIME",
        callback=lambda _context, _option, text: _seconds(text, "--patience"),
        help="How long to wait for a slow host, as in 90s; default 5m on a terminal, 20s elsewhere, 60s for a read.",
    ),
    click.option("--forks", default=50, type=click.IntRange(1, 200), help="Hosts at once.", show_default=True),
    click.option("--no-input", is_flag=True, help="Never ask: a gate that would ask refuses."),
)
WATCH = (
    click.option(
        "--watch",
        metavar="TIME",
        callback=lambda _context, _option, text: _watch(text),
        help="Read every 10 s for so long before judging, as in 5m (10s to 1h): tells what grows from what warms up.",
    ),
)
REPLAY = (_path("--replay", text="Recorded answers instead of a host."),)
PARAMETERS = (
    click.option(
        "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the runbook."
    ),
)


def common(*groups: tuple[Decorated, ...]) -> Decorated:
    """Adds groups of options to a command, which gets them as one `settings`."""

    def decorate(function: Callable[..., Any]) -> Decorated:
        names = set(Settings.__dataclass_fields__)

        def wrapped(**values: Any) -> Any:
            mine = {name: values.pop(name) for name in list(values) if name in names}
            if "parameters" in mine:
                mine["parameters"] = _pairs(mine["parameters"])
            return function(settings=Settings(**mine), **values)

        wrapped.__doc__ = function.__doc__
        wrapped.__name__ = function.__name__
        for option in reversed([option for group in groups for option in group]):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def _watch(text: str | None) -> float | None:
    seconds = _seconds(text, "--watch")
    if seconds is not None and not WATCH_LEAST <= seconds <= WATCH_MOST:
        raise UsageError(f"{text} is not from 10s to 1h", where="--watch", hint="5m shows most leaks")
    return seconds


def _seconds(text: str | None, option: str) -> float | None:
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise UsageError(message, where=option, hint=hint) from None


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise UsageError(f"{word!r} sets nothing", where="-p", hint="write NAME=VALUE, as in -p order=9")
        pairs[name] = value
    return pairs

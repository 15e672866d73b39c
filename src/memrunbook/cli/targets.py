"""Which hosts are meant and how they are reached: as typed, else as their inventory, else as config.yaml says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library, usual_library
from memrunbook.documents.owned import is_there

VARIABLE = "RUNBOOK_INVENTORY"


@dataclass(frozen=True)
class Targets:
    """Which hosts, and how they are reached; what is empty is as `ssh` would.

    `user` and `port` are for hosts that are named without, `ruling_tags` those that config.yaml asks for.
    `only_named`: without a host config.yaml is not asked.
    """

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
    ask_sudo_password: bool = False
    sudo_password_fd: int | None = None
    replay: tuple[Path, ...] = ()
    inventory: tuple[str, ...] = ()
    limit: tuple[str, ...] = ()
    user: str = ""
    port: int = 0
    only_named: bool = False
    skip_vault_files: bool = False
    ruling_tags: frozenset[str] = frozenset()
    sudo_typed: bool = False
    ssh_config_typed: bool = False

    @property
    def names_hosts(self) -> bool:
        """True where somebody named hosts: by name, by a limit, or all of an inventory that was given."""
        return bool(self.host or self.limit or typed("inventory"))


def with_defaults(targets: Targets, library: Library | None) -> Targets:
    """What was typed, else what config.yaml says, else what the options say.

    UsageError for a named file that is not there. A command that need not reach a host asks nothing of config.yaml.
    """
    if targets.replay or ((library is None or targets.only_named) and not targets.names_hosts):
        return targets
    for option, path in _named(targets):
        _check(option, path, new=option == "--known-hosts" and targets.accept_new_host_keys)
    config = (library or usual_library()).config()
    defaults = config.defaults
    usual = {name for name in ("sudo", "forks") if not typed(name)}
    patience = targets.patience or (f"{defaults.patience:g}s" if defaults.patience is not None else None)
    return replace(
        targets,
        inventory=targets.inventory or told_inventory() or defaults.inventory,
        skip_vault_files=defaults.skip_vault_files,
        ruling_tags=frozenset(one.tag for one in config.maximum_risk if one.tag),
        sudo_typed="sudo" not in usual,
        ssh_config_typed=targets.ssh_config is not None,
        user=defaults.user,
        port=defaults.port,
        identity=targets.identity or defaults.identity,
        known_hosts=targets.known_hosts or defaults.known_hosts,
        ssh_config=targets.ssh_config or defaults.ssh_config,
        patience=patience,
        sudo=defaults.sudo if defaults.sudo and "sudo" in usual else targets.sudo,
        forks=defaults.forks if defaults.forks and "forks" in usual else targets.forks,
    )


def told_inventory() -> tuple[str, ...]:
    """The inventories that the environment names."""
    return tuple(inventory_path(one) for one in os.environ.get(VARIABLE, "").split(",") if one)


def inventory_path(word: str) -> str:
    """An inventory with its path made absolute: whoever goes on may be somewhere else.

    UsageError for an empty word: the folder where one happens to be is written as a dot.
    """
    if not word.strip(", "):
        raise UsageError(
            f"{word!r} is no inventory", where="--inventory", hint="name a file, a folder (. for this one)"
        )
    kind, sign, path = word.rpartition(":") if word.startswith("ansible:") else ("", "", word)
    is_list = "," in path and not Path(path).exists()
    return word if is_list else f"{kind}{sign}{Path(path).expanduser().absolute()}"


def typed(name: str) -> bool:
    """True for an option of the command under way that stands on its command line."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _named(targets: Targets) -> Iterator[tuple[str, Path]]:
    yield from (("--identity", path) for path in targets.identity)
    yield from (("--known-hosts", path) for path in targets.known_hosts)
    yield from (("--ssh-config", path) for path in (targets.ssh_config,) if path is not None)


def _check(option: str, path: Path, *, new: bool) -> None:
    """A named file is there; one for `new` host keys may be made, where its folder is there."""
    found = is_there(path) and path.exists()
    if (found and not path.is_dir()) or (new and not found and path.absolute().parent.is_dir()):
        return
    what = "this is a folder" if found else "there is no such file"
    raise UsageError(what, where=f"{option} {path}", hint="check the path")

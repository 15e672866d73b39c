"""Which host of an inventory an alert means, or why it means none. Pure."""

from __future__ import annotations

import difflib
import ipaddress
from contextlib import suppress
from typing import NamedTuple

from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.core.text import clean

SEPARATORS = frozenset(",;| ")
SHOWN = 3


class MeantHost(NamedTuple):
    """The host, or why there is none, with what may be meant."""

    host: Host | None
    why: str = ""


def meant_host(known: Inventory, named: str, label: str) -> MeantHost:
    """The host by its name there, its address, or the only one whose name goes on with a dot, or is gone on with so.

    Names of hosts have no case, an address has one meaning however it is written. A name that goes on beyond one of the
    inventory is another host where the inventory says that this one is reached by another name.
    """
    if not named:
        return MeantHost(None, f"no label {clean(label)}: host_label in config.yaml names another")
    word = _plain(named)
    by_name = [host for host in known.hosts.values() if word == _plain(host.name)]
    by_address = [host for host in known.hosts.values() if word == _plain(host.address)]
    found = by_name or by_address or [host for host in known.hosts.values() if _is_alike(word, host)]
    if len(found) == 1:
        return MeantHost(found[0])
    shown, where = clean(named), f"(label {clean(label)})"
    if found:
        names = sorted(host.name for host in found)
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return MeantHost(None, f"'{shown}' {where} may be {', '.join(names[:SHOWN])}{more}: none is taken")
    if SEPARATORS.intersection(named):
        return MeantHost(None, f"'{shown}' {where} is not the name of one host: an alert is about one")
    near = difflib.get_close_matches(word, [_plain(name) for name in known.hosts], 1, 0.7)
    elsewhere = "in config.yaml host_label names another label, inventory another file"
    hint = f"did you mean {clean(near[0])}?" if near else elsewhere
    return MeantHost(None, f"no host of the inventory is called '{shown}' {where}; {hint}")


def _plain(name: str) -> str:
    with suppress(ValueError):
        return str(ipaddress.ip_address(name))
    return name.casefold().removesuffix(".")


def _is_alike(word: str, host: Host) -> bool:
    name, address = _plain(host.name), _plain(host.address)
    if name.startswith(f"{word}."):
        return True
    return word.startswith(f"{name}.") and not ("." in address and not _is_address(address))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

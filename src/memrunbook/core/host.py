"""Hosts and who they are."""

from __future__ import annotations

from msgspec import Struct


class Host(Struct, frozen=True):
    """A host as the operator named it, and how to reach it."""

    name: str
    user: str = ""
    port: int = 0
    transport: str = "ssh"


class HostIdentity(Struct, frozen=True):
    """What tells this host, in this boot, from any other; empty where it could not be had."""

    address: str = ""
    host_key: str = ""
    machine_id: str = ""
    boot_id: str = ""
    user: str = ""

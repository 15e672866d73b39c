"""A server that was started with some hosts, and what a call of it comes to."""

from __future__ import annotations

from pathlib import Path

from memrunbook.cli import exit_codes
from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import ALL, HostGroup, Inventory
from memrunbook.documents.library import Library
from memrunbook.mcp.served import Served
from memrunbook.transports.shared.reach import Reach


def served(folder: Path, *names: str, groups: dict[str, tuple[str, ...]] | None = None) -> Served:
    known = {name: HostGroup(name, hosts) for name, hosts in (groups or {}).items()}
    hosts = {name: Host(name) for name in names}
    defects: list[Exception] = []
    return Served(
        library=Library(),
        state=folder / "state",
        store="",
        inventory=Inventory(hosts, {**known, ALL: HostGroup(ALL, tuple(hosts))}),
        reach=Reach(),
        forks=2,
        history=True,
        again=lambda words: ["--state-dir", "/state"] if "plan" in words else [],
        code_of=exit_codes.of_error,
        defect=defects.append,
    )

"""The pages of `runbook hosts`: a list, the same with all that is known, and what a check says."""

from __future__ import annotations

from memrunbook.core.errors import Problem
from memrunbook.core.host import Host, HostParameter, ProtectedUnit
from memrunbook.core.inventory.inventory import HostGroup, Inventory
from memrunbook.ui.block import BLANK, Block
from memrunbook.ui.hosts import checked_view, groups_view, hosts_view

SOURCE = "/srv/ansible/production"
WINDOWS = "ansible_connection is winrm (hosts:14), and hosts are reached by ssh alone"
HOSTS = (
    Host(
        "search-03.example.com",
        "ops",
        2222,
        tags=("realtime",),
        address="2001:db8::3",
        identities=("/home/ops/.ssh/search",),
        ssh_args=("-J", "gate"),
        sudo="always",
        host_key_sha256="SHA256:uZb0kRJ1lqgHcmAlxVmTqkkQiLmDXMjPZ5NRXJTd5bU",
        groups=("prod", "search"),
        criticality="high",
        site="fra-1",
        peers=("search-04.example.com",),
        protected_units=(ProtectedUnit("postgres*.service", "group_vars/prod.yml:3"),),
        parameters=(HostParameter("memory-leak", "soon", "2h", "host_vars/search-03.yml:1"),),
        where=f"{SOURCE}/hosts:4",
        named="search-03.example.com",
    ),
    Host("search-04.example.com", groups=("prod", "search"), where=f"{SOURCE}/hosts:5"),
    Host("win-1", groups=("win",), where=f"{SOURCE}/hosts:12", refused=WINDOWS, hint="leave it out"),
    Host("many", groups=tuple(f"service-{number:02}" for number in range(9)), where=f"{SOURCE}/hosts:20"),
    Host("local", transport="local", groups=("ungrouped",), where=f"{SOURCE}/hosts:1"),
)
FOUND = Inventory(
    {host.name: host for host in HOSTS},
    {
        "all": HostGroup("all", (), ("ungrouped", "prod", "win")),
        "ungrouped": HostGroup("ungrouped", ("local",)),
        "prod": HostGroup("prod", (), ("search",), "hosts:8"),
        "search": HostGroup("search", ("search-03.example.com", "search-04.example.com"), (), "hosts:3"),
        "win": HostGroup("win", ("win-1",), (), "hosts:11"),
    },
)
PROBLEMS = [Problem("hosts:7", "nosuch sets no variable", "write NAME=VALUE")]
NOTES = [Problem("group_vars/win.yml:2", "ansible_password is not used", "logins are made by keys alone")]


def hosts_pages() -> list[Block]:
    """The list; the first two with everything, in their groups; and three checks."""
    return [
        *hosts_view(HOSTS, [SOURCE], verbose=False),
        BLANK,
        *hosts_view(HOSTS[:2], [SOURCE], verbose=True),
        *groups_view(FOUND, [host.name for host in HOSTS[:2]]),
        BLANK,
        *checked_view(HOSTS, PROBLEMS, NOTES),
        BLANK,
        *checked_view(HOSTS[:2], (), NOTES),
        BLANK,
        *checked_view(HOSTS[:2], (), ()),
    ]

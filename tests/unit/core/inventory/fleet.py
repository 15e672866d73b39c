"""An inventory to choose from: three groups of web servers and databases, and one host that is in none."""

from __future__ import annotations

from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import HostGroup, Inventory

FLEET = Inventory(
    {
        **{f"web{number}": Host(f"web{number}", address=f"192.0.2.{number}") for number in range(1, 8)},
        "db1.example.com": Host("db1.example.com"),
        "db2.example.com": Host("db2.example.com", address="198.51.100.1"),
        "twin": Host("twin", address="198.51.100.1"),
        "lone": Host("lone"),
    },
    {
        "all": HostGroup("all", (), ("ungrouped", "prod", "staging")),
        "ungrouped": HostGroup("ungrouped", ("lone", "twin")),
        "web": HostGroup("web", tuple(f"web{number}" for number in range(1, 8))),
        "db": HostGroup("db", ("db1.example.com", "db2.example.com")),
        "prod": HostGroup("prod", ("web1",), ("web", "db")),
        "staging": HostGroup("staging", ("web6", "web7")),
    },
)

"""Whose variables count: Ansible's order of levels, and of groups."""

from __future__ import annotations

from pathlib import Path

from tests.unit.documents.inventory.folder import inventory, write

LEVELS = ("all", "group", "file of all", "file of group", "host", "file of host")


def test_each_level_counts_before_those_below_it(tmp_path: Path) -> None:
    names = [f"h{n}" for n in range(len(LEVELS))]
    parts = {
        "hosts": "".join(f"[web{n}]\nh{n}\n" for n in range(len(LEVELS))) + "[all:vars]\nansible_user=all\n",
        "group_vars/all.yml": "",
    }
    for n in range(1, len(LEVELS)):
        parts["hosts"] += f"[web{n}:vars]\nansible_user=group\n"
    for n in range(3, len(LEVELS)):
        parts[f"group_vars/web{n}.yml"] = "ansible_user: file-of-group\n"
    for n in range(4, len(LEVELS)):
        parts["hosts"] += f"[web{n}]\nh{n} ansible_user=host\n"
    parts["host_vars/h5"] = "ansible_user: file-of-host\n"
    without = inventory(write(tmp_path / "a", parts))
    assert [without.hosts[name].user for name in names] == [
        "all",
        "group",
        "group",
        "file-of-group",
        "host",
        "file-of-host",
    ]
    parts["group_vars/all.yml"] = "ansible_user: file-of-all\n"
    with_all = inventory(write(tmp_path / "b", parts))
    assert [with_all.hosts[name].user for name in names][:4] == ["file-of-all"] * 3 + ["file-of-group"]


def test_groups_count_by_depth_then_priority_then_name(tmp_path: Path) -> None:
    hosts = """\
[b]
h
[a]
h
[deep]
h
[top:children]
deep
[a:vars]
ansible_user=a
ansible_port=1
criticality=low
[b:vars]
ansible_user=b
ansible_port=2
[deep:vars]
ansible_port=3
"""
    assert inventory(tmp_path, hosts=hosts).hosts["h"].groups == ("a", "b", "top", "deep")
    assert (inventory(tmp_path).hosts["h"].user, inventory(tmp_path).hosts["h"].port) == ("b", 3)
    first = inventory(tmp_path, hosts=f"{hosts}[a:vars]\nansible_group_priority=10\n").hosts["h"]
    assert first.user == "a"
    odd = inventory(tmp_path, hosts=f"{hosts}[a:vars]\nansible_group_priority=high\n").hosts["h"]
    assert odd.user == "b"


def test_every_host_is_in_a_group_and_every_group_in_all(tmp_path: Path) -> None:
    found = inventory(tmp_path, hosts="lone\n[web]\na\n[all]\nb\na\n")
    assert found.members("ungrouped") == ["lone", "b"]
    assert found.hosts["lone"].groups == ("ungrouped",)
    assert found.members("all") == ["a", "lone", "b"]

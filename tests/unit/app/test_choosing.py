"""Which hosts are meant: names as they stand, hosts of an inventory, patterns, files of names."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.core.inventory.fleet import FLEET
from tests.unit.documents.inventory.folder import write

from memrunbook.app import InventoryArguments, check_inventory, choose, inventory
from memrunbook.core.errors import DocumentError, UsageError
from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.documents.library import Library


def names(words: list[str], *limits: str, known: Inventory = FLEET) -> list[str]:
    return [host.name for host in choose(known, words, limits)]


def test_names_lists_ranges_and_patterns() -> None:
    assert names(["web1,elsewhere"]) == ["web1", "elsewhere"]
    assert names(["db[1:2].example.com", "lone"]) == ["db1.example.com", "db2.example.com", "lone"]
    assert names(["web:!web1:!staging"]) == ["web2", "web3", "web4", "web5"]
    assert names(["db[0]"]) == ["db1.example.com"]
    assert names(["web1", "web"]) == [f"web{n}" for n in range(1, 8)], "each once"
    assert len(names([])) == len(FLEET.hosts)


def test_what_is_typed_counts_before_what_the_inventory_says() -> None:
    [host] = choose(FLEET, ["ada@web1:2222"])
    assert (host.user, host.port, host.address, host.typed) == ("ada", 2222, "192.0.2.1", "ada@web1:2222")
    assert choose(FLEET, ["192.0.2.1"])[0].name == "web1", "an address stands for the host that has it"
    assert choose(FLEET, ["ada@elsewhere"]) == (Host("elsewhere", "ada"),)


def test_limits_leave_some_of_them() -> None:
    assert names([], "staging") == ["web6", "web7"]
    assert names(["web"], "!staging", "!web1") == ["web2", "web3", "web4", "web5"]
    assert names(["elsewhere,web1"], "else*") == ["elsewhere"]
    assert names(["a[1:3]"], "a2,a3", known=Inventory()) == ["a2", "a3"]


def test_files_of_names(tmp_path: Path) -> None:
    write(
        tmp_path, {"hosts": "# failed\nweb1\nada@web2:22  # again\n\nlone\n", "patterns": "web\n!web7\n", "none": "#\n"}
    )
    assert names([f"@{tmp_path}/hosts"]) == ["web1", "web2", "lone"]
    assert names(["web"], f"@{tmp_path}/hosts") == ["web1", "web2"]
    assert names([], f"@{tmp_path}/patterns")[-1] == "web6"
    for word, why in (("none", "names no host"), ("nosuch", "No such file"), ("", "Is a directory")):
        with pytest.raises(UsageError, match=why) as refused:
            names([f"@{tmp_path}/{word}"])
        assert refused.value.where == f"--host @{tmp_path}{f'/{word}' if word else ''}" or word == ""
    with pytest.raises(UsageError, match="neither a file nor a pipe"):
        names(["web"], "@/dev/zero")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(65 << 20)
    for source, why in (("/dev/zero", "neither a file nor a pipe"), (f"{tmp_path}/large", "larger than 64 MiB")):
        with pytest.raises(DocumentError) as endless:
            inventory(InventoryArguments(sources=(source,)))
        assert why in endless.value.problems[0].message


@pytest.mark.parametrize(
    ("words", "limits", "where", "why"),
    [
        (["web"], ["db"], "--limit", "no host is left"),
        (["web:&db"], [], "--host", "no host is left"),
        (["wbe*"], [], "--host", "no host or group matches"),
        ([], [""], "--limit", "leaves out which hosts"),
        (["web"], [" , "], "--limit", "leaves out which hosts"),
        (["web", ""], [], "--host", "leaves out which hosts"),
        ([], ["wbe"], "--limit", "no host or group matches"),
        (["a b"], [], "--host", "is no host"),
        (["a[1:30000]", "b[1:30000]"], [], "", "more than 50000 hosts"),
    ],
)
def test_what_names_nobody_is_refused(words: list[str], limits: list[str], where: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as refused:
        names(words, *limits)
    assert refused.value.where == where


def test_an_inventory_is_read_and_checked(tmp_path: Path) -> None:
    write(tmp_path, {
        "hosts": "[web]\na\nb\nc\nd\n[web:vars]\nansible_ssh_private_key_file=/no/such/key\n",
        "bad": "a b\n",
        "group_vars/web.yml": "runbook_parameters: {nosuch: 1, swap-thrashing: {alike: 2}}\n",
    })  # fmt: skip
    arguments = InventoryArguments(sources=(str(tmp_path / "hosts"),))
    assert list(inventory(arguments).hosts) == ["a", "b", "c", "d"]
    found = check_inventory(arguments, Library())
    assert [one.message for one in found.notes] == [
        "the key file /no/such/key is not there (a, b, c and 1 more)",
        "no runbook here has a parameter 'nosuch': it is not used",
    ]
    assert found.problems == ()
    where = f"({tmp_path}/group_vars/web.yml:1)"
    refused = f"swap-thrashing has no parameter 'alike' {where}"
    assert [host.refused for host in found.inventory.hosts.values()] == [refused] * 4
    (tmp_path / "twice").mkdir()
    write(tmp_path / "twice", {"hosts": "[web]\nweb01 ansible_host=192.0.2.1\nalias01 ansible_host=192.0.2.1\nweb02\n"})
    alike = check_inventory(InventoryArguments(sources=(str(tmp_path / "twice/hosts"),)), Library())
    assert [one.message for one in alike.notes] == [
        "web01, alias01 have the same address, user and port: is that one machine?"
    ]
    broken = check_inventory(InventoryArguments(sources=(str(tmp_path / "bad"),)), Library())
    assert [one.message for one in broken.problems] == ["b sets no variable"]
    with pytest.raises(DocumentError):
        inventory(InventoryArguments(sources=(str(tmp_path / "bad"),)))

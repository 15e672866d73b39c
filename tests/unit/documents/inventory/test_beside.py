"""group_vars/ and host_vars/ beside the inventory."""

from __future__ import annotations

from pathlib import Path

from tests.unit.documents.inventory.folder import inventory, problems, write

from memrunbook.documents.inventory.reading import read_inventory
from memrunbook.transports.shared.program import answer_of

HOSTS = "[web]\na\nb\n"
VAULT = "$ANSIBLE_VAULT;1.1;AES256\n6162\n"


def test_files_folders_and_extensions(tmp_path: Path) -> None:
    write(tmp_path, {
        "hosts": HOSTS,
        "group_vars/all.yml": "ansible_user: everybody\n",
        "group_vars/web/10-first": "ansible_user: first\nansible_port: 1\n",
        "group_vars/web/20-second.yaml": "ansible_user: second\n",
        "group_vars/web/deep/more.json": '{"criticality": "high"}',
        "group_vars/web/.hidden.yml": "ansible_user: hidden\n",
        "group_vars/web/backup.yml~": "ansible_user: backup\n",
        "group_vars/web/notes.txt": "ansible_user: notes\n",
        "group_vars/web.yml": "ansible_user: never\n",
        "host_vars/a.yaml": "ansible_user: own\n",
        "host_vars/b": "---\n",
    })  # fmt: skip
    found = inventory(tmp_path)
    assert found.hosts["a"].user == "own"
    assert (found.hosts["b"].user, found.hosts["b"].port, found.hosts["b"].criticality) == ("second", 1, "high")


def test_they_are_read_beside_the_source_and_beside_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, {
        "group_vars/all.yml": "ansible_user: above\n",
        "inv/hosts": HOSTS,
        "inv/sub/more": "c\n",
        "inv/sub/group_vars/all.yml": "ansible_user: below\n",
        "inv/group_vars/web.yml": "ansible_user: beside\n",
    })  # fmt: skip
    found = inventory(tmp_path, "inv")
    assert (found.hosts["a"].user, found.hosts["c"].user) == ("beside", "")


def test_an_encrypted_file_refuses_the_hosts_that_it_is_for_and_no_other(tmp_path: Path) -> None:
    write(
        tmp_path, {"hosts": f"c\n{HOSTS}", "host_vars/c.yml": "ansible_user: ops\n", "group_vars/web/vault.yml": VAULT}
    )
    found = inventory(tmp_path)
    assert f"{tmp_path}/group_vars/web/vault.yml is encrypted by ansible-vault" in found.hosts["a"].refused
    assert "-i ansible:FILE" in found.hosts["a"].hint
    assert "vault_files: skip" in found.hosts["a"].hint
    assert not found.hosts["c"].refused
    passed_over = inventory(tmp_path, skip_encrypted=True)
    assert not passed_over.hosts["a"].refused
    assert [one.message for one in passed_over.notes] == ["this is encrypted by ansible-vault, and was passed over"]


def test_an_encrypted_host_file_and_an_encrypted_inventory(tmp_path: Path) -> None:
    assert inventory(tmp_path, hosts=HOSTS, host_vars__b=VAULT).hosts["b"].refused
    [told] = problems(tmp_path, "secret", secret=VAULT)
    assert "the inventory is encrypted by ansible-vault" in told.message
    assert "ansible:" in told.hint


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    told = problems(tmp_path, hosts=HOSTS, group_vars__web_yml="- 1\n", host_vars__a="a: [\n")
    assert [one.where.partition(":")[0] for one in told] == ["group_vars/web.yml", "host_vars/a"]
    assert told[0].message == "this is no mapping of variables"


def test_files_for_nobody_are_noted(tmp_path: Path) -> None:
    found = inventory(tmp_path, hosts=HOSTS, group_vars__wbe_yml="a: 1\n", host_vars__z="b: 1\n", group_vars__x_md="#")
    write(tmp_path, {"host_vars/README.md": "# how"})
    assert [one.message.split(",")[0] for one in found.notes] == [
        "this is for wbe",
        "this is for x_md",
        "this is for z",
    ]


def test_of_two_sources_the_later_counts_and_each_has_its_own_beside(tmp_path: Path) -> None:
    write(tmp_path, {
        "one/hosts": "[web]\na ansible_port=1\n",
        "one/group_vars/web.yml": "ansible_user: one\ncriticality: low\n",
        "two/hosts": "[web]\na ansible_port=2\n",
        "two/group_vars/web.yml": "ansible_user: two\n",
    })  # fmt: skip
    found = read_inventory([str(tmp_path / "one" / "hosts"), str(tmp_path / "two")], answer_of)
    host = found.hosts["a"]
    assert (host.port, host.user, host.criticality) == (2, "two", "low")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"one/hosts": HOSTS, "one/host_vars/b": "x: 1\n", "two/hosts": HOSTS})
    (tmp_path / "one" / "host_vars" / "a").symlink_to("nothing")
    (tmp_path / "two" / "group_vars").symlink_to("group_vars")
    [told] = problems(tmp_path, "one")
    assert (told.where, told.message[:24]) == ("one/host_vars/a", "the file cannot be read:")
    [told] = problems(tmp_path, "two")
    assert (told.where, told.message[:26]) == ("two/group_vars", "the folder cannot be read:")

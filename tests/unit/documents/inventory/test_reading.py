"""Sources of an inventory: files, folders, programs, names; and what of a folder is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.unit.documents.inventory.folder import inventory, problems, write

from memrunbook.core.errors import DocumentError, UsageError
from memrunbook.documents.inventory.reading import names_in_inventory, read_inventory
from memrunbook.transports.shared.program import answer_of

PROGRAM = '#!/bin/sh\necho \'{"dyn": ["d"], "_meta": {"hostvars": {}}}\'\n'


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    write(tmp_path, {
        "inv/10-hosts": "[web]\na ansible_user=first\n",
        "inv/20.yml": "web: {hosts: {a: {ansible_user: second}}}\n",
        "inv/30.py": PROGRAM,
        "inv/30.ini": "[settings]\nnot an inventory\n",
        "inv/deep/more": "b\n",
        "inv/ansible.cfg": "[defaults]\nx y\n",
        "inv/README.md": "# not one\n",
        "inv/old.retry": "x y\n",
        "inv/save.bak": "x y\n",
        "inv/.git/config": "x y\n",
        "inv/host_vars/a": "ansible_port: 5\n",
    })  # fmt: skip
    found = inventory(tmp_path, "inv")
    assert set(found.hosts) == {"a", "b", "d"}
    assert (found.hosts["a"].user, found.hosts["a"].port) == ("second", 5)


def test_names_between_commas(tmp_path: Path) -> None:
    found = read_inventory(["a,web[1:2],"], answer_of)
    assert list(found.hosts) == ["a", "web1", "web2"]
    assert found.hosts["a"].where == "-i"


def test_what_ansible_reads_is_asked_of_ansible(tmp_path: Path) -> None:
    asked = []

    def run(words: Sequence[str], _: Path) -> str:
        asked.append(list(words))
        return '{"_meta": {"hostvars": {"a": {"ansible_user": "ops"}}}, "web": {"hosts": ["a"]}}'

    found = read_inventory([f"ansible:{tmp_path}/aws_ec2.yml"], run)
    assert asked == [["ansible-inventory", "-i", f"{tmp_path}/aws_ec2.yml", "--list"]]
    assert found.hosts["a"].user == "ops"

    def missing(words: Sequence[str], _: Path) -> str:
        raise UsageError(f"{words[0]} is not installed here", hint="install it")

    with pytest.raises(DocumentError) as refused:
        read_inventory(["ansible:/x"], missing)
    assert refused.value.problems[0].message == "ansible-inventory is not installed here"
    with pytest.raises(DocumentError):
        read_inventory(["ansible:/x"], lambda *_: "no")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("hosts.toml", "[web]\n", "an inventory in TOML"),
        ("hosts", "a\n\udcff", ""),
    ],
)
def test_what_is_no_inventory_is_told(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    [told] = problems(tmp_path, name)
    assert message in told.message
    assert told.hint


def test_files_that_are_not_there_not_a_program_or_anybodys(tmp_path: Path) -> None:
    [told] = problems(tmp_path, "nosuch")
    assert told.message == "the inventory cannot be read: there is no such file"
    write(tmp_path, {"hosts.sh": PROGRAM, "hosts": "a\n"})
    (tmp_path / "hosts.sh").chmod(0o644)
    assert "may not be executed" in problems(tmp_path, "hosts.sh")[0].message
    (tmp_path / "hosts.sh").chmod(0o757)
    assert "everybody may write it" in problems(tmp_path, "hosts.sh")[0].message
    (tmp_path / "hosts").chmod(0o646)
    assert "everybody may write it" in problems(tmp_path, "hosts")[0].message


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a file away")
def test_a_program_of_another_user_is_not_run(tmp_path: Path) -> None:
    write(tmp_path, {"hosts.sh": PROGRAM, "hosts": "a\n"})
    for name in ("hosts.sh", "hosts"):
        os.chown(tmp_path / name, 4711, 4711)
    assert "belongs to another user" in problems(tmp_path, "hosts.sh")[0].message
    assert problems(tmp_path, "hosts") == [], "a file is read: a checkout may be a colleague's"


def test_a_name_that_is_none_is_told(tmp_path: Path) -> None:
    [told] = problems(tmp_path, hosts="'web 1' ansible_host=192.0.2.1\n")
    assert '"web 1" is no name of a host' in told.message


def test_names_alone_are_read_of_what_is_wrong_too_and_no_program_is_run(tmp_path: Path) -> None:
    write(tmp_path, {"inv/a": "[web]\na\nb c d\n", "inv/b.sh": "#!/bin/sh\ntouch ran\n"})
    assert names_in_inventory([str(tmp_path / "inv")]) == ["all", "ungrouped", "web", "a", "b"]
    assert not Path("ran").exists()


def test_a_thousand_hosts_are_read_in_seconds(tmp_path: Path) -> None:
    write(tmp_path, {"hosts": "[web]\nweb[0001:1000]\n", "group_vars/web.yml": "ansible_user: ops\npeers: web\n"})
    found = inventory(tmp_path)
    assert len(found.hosts) == 1000
    assert len(found.hosts["web0001"].peers) == 999


def test_a_range_without_a_comma_is_told_what_it_needs(tmp_path: Path) -> None:
    [told] = problems(tmp_path, "web[1:4]")
    assert told.hint == "names, not a file, end with a comma: -i 'web[1:4],'"

"""Many hosts at once: one page, the worst first, and a next command that means exactly the hosts that it is about."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import arguments
from tests.cli.console import here
from tests.cli.test_json import valid
from tests.ssh.servers import USER, Server
from tests.sshd import free_port

from memrunbook.app import choose
from memrunbook.cli.commands.diagnose import command
from memrunbook.cli.next_command import reach
from memrunbook.core.host import Host, parse_hosts
from memrunbook.core.inventory.inventory import HostGroup, Inventory

READ = ("web1", "web2", "web3", "web4")
AWAY = "db7"


@pytest.fixture
def many(server: Server) -> list[str]:
    """One server under four names, and a name at which nobody listens."""
    ports = {**dict.fromkeys(READ, server.port), AWAY: free_port()}
    lines = [f"Host {name}\n HostName 127.0.0.1\n Port {port}\n User {USER}\n" for name, port in ports.items()]
    (server.folder / "config").write_text("".join(lines), encoding="ascii")
    return [*arguments(server)[1:], f"--host=web[1:4],{AWAY}", "--quick"]


def test_many_hosts_are_one_page_and_none_is_left_out(many: list[str]) -> None:
    ran = here("diagnose", *many)
    assert ran.code == 4, ran.said
    lines = ran.out.splitlines()
    assert len(lines) < 20, ran.out
    assert lines[0].split(":")[0] in ("CRITICAL", "WARNING", "UNKNOWN"), lines[0]
    assert "of 5 hosts" in lines[0]
    assert "1 not reached" in lines[0]
    assert re.search(rf"UNKNOWN +{AWAY} +not reached: the connection was refused", ran.out)
    assert f"next: runbook doctor --host {AWAY} --identity" in ran.out
    assert lines[-1] == "Nothing was changed. -v prints each host in full; for one of them: --host NAME"
    assert "Host     " not in ran.out


def test_details_are_for_the_asking(many: list[str]) -> None:
    ran = here("diagnose", "-v", *many)
    assert ran.code == 4, ran.said
    assert ran.out.count("Host       web") == len(READ)
    assert ran.out.count("error: ") == 1
    assert ran.out.splitlines()[0] == here("diagnose", *many).out.splitlines()[0]
    one = here("diagnose", *many[:-2], "--host=web2", "--quick")
    assert one.out.count("Host       web2") == 1
    assert "of 1 host" not in one.out


def test_json_says_the_same(many: list[str]) -> None:
    ran = here("diagnose", "--json", *many)
    assert ran.code == 4
    document = json.loads(ran.out)
    valid(document, "diagnose")
    assert document["verdict"] == here("diagnose", *many).out.splitlines()[0]
    assert [host["host"] for host in document["hosts"]] == [*READ, AWAY]
    assert document["counts"]["hosts"] == len(READ) + 1
    assert document["counts"]["unreachable"] == 1
    assert sorted(name for group in document["groups"] for name in group["hosts"]) == [AWAY, *READ]
    [away] = [group for group in document["groups"] if group["outcome"] == "unreachable"]
    assert away["hosts"] == [AWAY]
    assert away["severity"] == "unknown"
    assert away["told"].startswith("not reached: the connection was refused")
    assert away["next"].startswith(f"runbook doctor --host {AWAY} --identity")


def _typed(hosts: Sequence[Host]) -> list[str]:
    """The words behind `--host` of what would be printed for these hosts."""
    with click.Context(command):
        words = shlex.split(reach(*hosts))
    assert words[::2] == ["--host"] * (len(words) // 2)
    return words[1::2]


NAMES = st.lists(
    st.from_regex(r"(ada@)?(web|db|web-1-)[01289]{1,3}(\.x\.org)?(:22)?", fullmatch=True),
    min_size=1,
    max_size=40,
    unique_by=lambda name: name.rpartition("@")[2].partition(":")[0],
)


@given(NAMES)
def test_what_is_printed_names_these_hosts_and_no_others(names: list[str]) -> None:
    hosts = parse_hosts(names)
    words = _typed(hosts)
    assert set(parse_hosts(words)) == set(hosts)
    assert all(len(word) <= 60 for word in words)


@given(st.lists(st.from_regex(r"(web|db|web-1-)[0129]{1,3}", fullmatch=True), min_size=1, unique=True), st.data())
def test_so_it_does_with_an_inventory_whose_groups_have_names_like_hosts(names: list[str], data: st.DataObject) -> None:
    hosts = {name: Host(name, groups=("web", "db") if name.startswith("web") else ("db",)) for name in names}
    groups = {
        "all": HostGroup("all", (), ("web", "db")),
        "web": HostGroup("web", tuple(name for name in names if name.startswith("web"))),
        "db": HostGroup("db", tuple(names)),
    }
    known = Inventory(hosts, groups)
    some = data.draw(st.lists(st.sampled_from(list(hosts.values())), min_size=1, unique_by=lambda host: host.name))
    assert set(choose(known, _typed(some))) == set(some)


def test_an_inventory_that_was_given_is_named_again(server: Server, tmp_path: Path) -> None:
    line = f"web[1:3] ansible_host=127.0.0.1 ansible_port={free_port()} ansible_user={USER}\n"
    path = tmp_path / "hosts"
    path.write_text(f"[front]\n{line}", encoding="utf-8")
    words = [word for word in arguments(server) if not word.startswith("--host")]
    ran = here("diagnose", "-i", str(path), *words)
    assert ran.code == 4, ran.said
    assert "UNKNOWN  3 hosts  not reached: the connection was refused" in ran.out
    assert f"next: runbook doctor --host web1,web2,web3 --inventory {path} --identity" in ran.out
    assert ran.out.startswith("UNKNOWN: 3 of 3 hosts: 3 not reached; web[1:3] not reached: the connection was refused")


def test_recordings_are_a_fleet_too_and_the_next_command_names_no_host(tmp_path: Path) -> None:
    meminfo = "MemTotal: 1000 kB\nMemFree: 900 kB\nMemAvailable: 900 kB\n"
    for name in ("b", "a"):
        text = f"@@case begin 5.0\n@@case file /proc/meminfo\n{meminfo}@@case end 5.1\n"
        (tmp_path / f"{name}.replay").write_text(text, encoding="utf-8")
    ran = here("diagnose", "--replay", str(tmp_path))
    assert ran.code == 9, ran.said
    assert ran.out.startswith("UNKNOWN: 2 of 2 hosts: 2 not judged")
    assert "--host" not in ran.out
    assert ran.out.splitlines()[-1].endswith("for one of them: --replay FILE")

"""Hosts of an inventory, from the file to the host: named, chosen, reached, ruled, listed, completed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.books import act, book, look
from tests.cli.conftest import arguments
from tests.cli.console import apart, environment, here, terminal
from tests.ssh.servers import USER, Server
from tests.sshd import Sshd
from tests.unit.documents.inventory.folder import write

FACTS = ("facts", "memory.total_bytes", "--samples", "1", "--sudo", "never")
HOSTS = """\
[web]
web01 ansible_host=192.0.2.1 ansible_user=ops tags=realtime criticality=high peers=web
web02
[win]
w1 ansible_connection=winrm
[here]
localhost ansible_connection=local ansible_become=no
[prod:children]
web
"""


@pytest.fixture
def inventory(tmp_path: Path) -> str:
    write(tmp_path, {"inv/hosts": HOSTS, "inv/group_vars/win.yml": "ansible_password: x\n"})
    return str(tmp_path / "inv" / "hosts")


def line(server: Server | Sshd, user: str, **more: str) -> str:
    """The line of an inventory that reaches a server by a name of its own."""
    told = {
        "ansible_host": "127.0.0.1",
        "ansible_port": str(server.port),
        "ansible_user": user,
        "ansible_ssh_private_key_file": str(server.folder / "id"),
        "ansible_become": "no",
        **more,
    }
    return "search-03 " + " ".join(f"{name}={value}" for name, value in told.items()) + "\n"


def test_a_host_is_reached_as_its_inventory_says(server: Server, tmp_path: Path) -> None:
    write(tmp_path, {"hosts": f"[search]\n{line(server, USER)}"})
    words = ("-i", str(tmp_path / "hosts"), f"--known-hosts={server.folder / 'known_hosts'}", "--ssh-config=/dev/null")
    for named in ("search-03", "search", "sea*", "127.0.0.1"):
        ran = here(*FACTS, "--host", named, *words)
        assert ran.code == 0, ran.said
        assert "search-03" in ran.out
    assert set(server.logins) == {USER}
    here(*FACTS, "--host", "nobody@search-03", *words).refused(4, "refused nobody", hint="another user")


def test_the_key_of_the_inventory_needs_no_known_hosts_and_no_other_will_do(sshd: Sshd, tmp_path: Path) -> None:
    key = sshd.fingerprint()
    write(tmp_path, {"hosts": line(sshd, sshd.user, host_key_sha256=key)})
    words = ("-i", str(tmp_path / "hosts"), "--known-hosts=/dev/null", "--ssh-config=/dev/null")
    assert here(*FACTS, *words).code == 0
    other = f"SHA256:{'A' * 43}"
    write(tmp_path, {"hosts": line(sshd, sshd.user, host_key_sha256=other)})
    here(*FACTS, *words, "--accept-new-host-keys").refused(
        4, "NOT THE ONE OF THE INVENTORY", other, key, hint="put it into the inventory"
    )


@pytest.mark.parametrize("transport", ["ssh", "openssh"])
def test_a_host_is_reached_by_the_ssh_configuration_that_its_inventory_names(
    sshd: Sshd, tmp_path: Path, transport: str
) -> None:
    here_is = f"Hostname 127.0.0.1\nPort {sshd.port}\nUser {sshd.user}\nIdentityFile {sshd.folder / 'id'}\n"
    more = f"UserKnownHostsFile {sshd.folder / 'known_hosts'}\n"
    write(tmp_path, {"own": f"Host search-03\n{here_is}{more}", "other": "Host *\nPort 1\nHostname 127.0.0.1\n"})
    args = "ansible_ssh_common_args='-F {{ inventory_dir }}/own'"
    write(tmp_path, {"hosts": f"search-03 {args} ansible_become=no\n", "gone": f"a {args.replace('own', 'no')}\nb\n"})
    words = ("-i", str(tmp_path / "hosts"), "--transport", transport)
    ran = here(*FACTS, *words)
    assert ran.code == 0, ran.said
    typed = here(*FACTS, *words, "--ssh-config", str(tmp_path / "other"))
    assert typed.code == 4, "what is typed counts before the inventory"
    assert here("hosts", "-i", str(tmp_path / "hosts"), "--check").out == "OK: no problems, 1 host\n"
    check = here("hosts", "-i", str(tmp_path / "gone"), "--check")
    assert check.code == 2
    assert "1 host that cannot be reached of 2" in check.out
    assert f"{tmp_path}/no of the inventory is not there" in " ".join(check.out.split())


@pytest.mark.usefixtures("machine")
def test_a_plan_is_applied_on_the_host_that_the_inventory_meant(server: Server, tmp_path: Path) -> None:
    write(tmp_path, {"hosts": f"[search]\n{line(server, USER)}"})
    way = (f"--known-hosts={server.folder / 'known_hosts'}", "--ssh-config=/dev/null")
    small, plan = book(tmp_path, act("one", "true")), str(tmp_path / "plan.json")
    made = here("plan", small, "-i", str(tmp_path / "hosts"), "--limit", "search", "--out", plan, *way)
    assert made.code == 0, made.said
    assert json.loads(Path(plan).read_text(encoding="utf-8"))["hosts"][0]["address"] == "127.0.0.1"
    done = here("apply", plan, *way)
    assert "search-03" in done.out
    assert done.code == 0, done.said


@pytest.mark.usefixtures("machine")
def test_a_saved_plan_goes_by_the_groups_of_now(tmp_path: Path, inventory: str) -> None:
    small, plan = book(tmp_path, act("one", "true")), str(tmp_path / "plan.json")
    write(tmp_path, {"config/config.yaml": "maximum_risk: [{risk: none, groups: closed}]\n"})
    config = ("--config-dir", str(tmp_path / "config"))
    assert here("plan", small, "-i", inventory, "--host", "here", "--out", plan, *config).code == 0
    write(tmp_path, {"inv/hosts": f"{HOSTS}[closed]\nlocalhost\n"})
    assert "config.yaml:1 says that apply changes nothing here" in here("apply", plan, "-i", inventory, *config).out
    write(tmp_path, {"inv/hosts": "a b\n"})
    broken = here("apply", plan, "-i", inventory, *config)
    assert "note: the inventory cannot be read" in broken.err
    assert "changes nothing here" not in broken.out


def test_one_host_that_cannot_be_reached_keeps_nobody_else_away(inventory: str) -> None:
    ran = here(*FACTS, "-i", inventory, "--limit", "here:win")
    ran.refused(4, "w1: ansible_connection is winrm", "hosts:5", hint="leave such hosts out")
    assert "MemTotal" in ran.out or "memory.total_bytes" in ran.out


@pytest.mark.usefixtures("machine")
def test_groups_of_the_inventory_count_in_config_yaml_and_at_the_gate(inventory: str, tmp_path: Path) -> None:
    rule = "maximum_risk:\n  - {risk: none, groups: here, why: the auditors are in}\n"
    write(tmp_path, {"config/config.yaml": rule})
    small = book(tmp_path, act("one", "true"))
    ran = here("run", small, "-i", inventory, "--host", "here", "--yes", "--config-dir", str(tmp_path / "config"))
    assert "1 refused" in ran.out
    assert "config.yaml:2 says that run changes nothing here (the auditors are in)" in ran.out


@pytest.mark.usefixtures("machine")
def test_the_gate_says_who_the_host_is(tmp_path: Path) -> None:
    line = "localhost ansible_connection=local ansible_become=no tags=standby criticality=high peers=web01 site=fra-1"
    write(tmp_path, {"hosts": f"web01\n[search]\n{line}\n"})
    small = book(tmp_path, act("one", "true"), resolved="memory.available_percent > 100.0")
    with terminal("run", small, "-i", str(tmp_path / "hosts"), "--host", "search") as screen:
        screen.expect("local")
        screen.expect("y/N")
        gate = " ".join(screen.drawn.split())
        assert "in search, site fra-1, criticality high, standby; peers web01" in gate
        screen.type("n\n")
        assert screen.wait() == 5


def test_parameters_and_tags_of_a_host(tmp_path: Path) -> None:
    more = "parameters:\n  say: {type: string, default: nothing, description: A word}\n"
    text = book(tmp_path, look("one", "true"), more=more)
    path = Path(text)
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            "when: memory.total_bytes > 0", "when: parameters.say == 'told' && 'realtime' in host.tags"
        ),
        encoding="utf-8",
    )
    own = "runbook_parameters={'say': 'told'}"
    write(tmp_path, {"hosts": f'localhost ansible_connection=local ansible_become=no tags=realtime "{own}"\n'})
    planned = json.loads(here("plan", text, "-i", str(tmp_path / "hosts"), "--json").out)
    assert planned["hosts"][0]["findings"][0]["state"] == "firing"
    typed = json.loads(here("plan", text, "-i", str(tmp_path / "hosts"), "-p", "say=else", "--json").out)
    assert typed["hosts"][0]["findings"][0]["state"] == "clear"
    wrong = own.replace("'say'", "'sya'")
    write(tmp_path, {"hosts": f'localhost ansible_connection=local ansible_become=no "{wrong}"\n'})
    told = here("hosts", "-i", str(tmp_path / "hosts"), "--check")
    assert "no runbook here has a parameter 'sya': it is not used" in told.out
    assert told.code == 0, "another may have that runbook"


@pytest.mark.usefixtures("machine")
def test_what_cannot_be_understood_of_one_host_keeps_nobody_else_away(tmp_path: Path) -> None:
    wrong = "runbook_parameters={'memory-fragmentation': {'order': 99}}"
    others = "peers=10.0.0.9 criticality=P1 \"runbook_parameters={'append': {'file': 'x'}}\""
    lines = f'localhost ansible_connection=local ansible_become=no {others}\nb protected_units=*\nc "{wrong}"\n'
    write(tmp_path, {"hosts": lines})
    words = ("-i", str(tmp_path / "hosts"))
    alone = here("diagnose", *words, "--host", "localhost", "--quick")
    assert "not reached" not in alone.said
    assert alone.code not in (2, 4), alone.said
    ran = here("diagnose", *words, "--quick", "--json")
    assert ran.code == 4, ran.said
    hosts = {one["host"]: one for one in json.loads(ran.out)["hosts"]}
    assert "this pattern is every unit" in hosts["b"]["error"]
    assert "the parameter order: 99 is above the maximum of 10" in hosts["c"]["error"]
    assert hosts["local"]["error"] == ""
    check = here("hosts", *words, "--check")
    assert check.code == 2, check.said
    assert "0 problems, 2 hosts that cannot be reached of 3, 3 notes" in check.out
    assert "there is no runbook 'append' here: this is not used" in check.out


def test_nobody_is_meant_by_silence(inventory: str, monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    here(*FACTS).refused(2, "no host was named", hint="-i FILE")
    monkeypatch.setenv("RUNBOOK_INVENTORY", inventory)
    here(*FACTS).refused(2, "no host was named", hint="--host all")
    assert here(*FACTS, "--host", "here").code == 0
    monkeypatch.delenv("RUNBOOK_INVENTORY")
    folder = own_home / ".config" / "memrunbook"
    write(
        folder,
        {
            "config.yaml": "defaults: {inventory: inv/hosts}\n",
            "inv/hosts": "[mine]\nlocalhost ansible_connection=local\n",
        },
    )
    assert here(*FACTS, "--limit", "mine").code == 0
    assert "1 host in" in here("hosts").out


@pytest.mark.usefixtures("machine")
def test_a_host_that_the_inventory_does_not_have_is_told_everywhere(tmp_path: Path) -> None:
    write(tmp_path, {"hosts": "web1\nweb2\n[here]\nlocalhost ansible_connection=local ansible_become=no\n"})
    words = ("-i", str(tmp_path / "hosts"))
    told = "is not in the inventory: no group of it, and no rule for a group, counts"
    listed = here("hosts", *words, "--host", "web9,web1")
    assert "2 hosts, 1 of them in" in listed.out
    assert "not in the inventory: no group, and no rule for one" in listed.out
    check = here("hosts", *words, "--host", "web[7:9]", "--check")
    assert "web[7:9] are not in the inventory" in " ".join(check.out.split())
    for command in (("diagnose", "--quick"), ("facts", "host.boot_id"), ("plan", "memory-leak")):
        ran = here(*command, *words, "--host", "127.0.0.9:1", "--ssh-config=/dev/null")
        assert ran.code == 4, ran.said
        assert f"127.0.0.9:1 {told}" in " ".join(ran.err.split())
    here("hosts", *words, "--host", "web1:web9").refused(2, "no host or group matches 'web9'")


@pytest.mark.usefixtures("machine")
def test_the_gate_of_a_host_beside_the_inventory_says_so(tmp_path: Path) -> None:
    write(tmp_path, {"hosts": "web01\n"})
    small = book(tmp_path, act("one", "true"), resolved="memory.available_percent > 100.0")
    with terminal("run", small, "-i", str(tmp_path / "hosts"), "--host", "local") as screen:
        screen.expect("y/N")
        assert "not in the inventory: no rule for a group counts" in " ".join(screen.drawn.split())
        screen.type("n\n")
        assert screen.wait() == 5


def test_hosts_are_listed_with_what_is_known_of_them(inventory: str) -> None:
    ran = here("hosts", "-i", inventory)
    assert ran.code == 0
    rows = [row.split() for row in ran.out.splitlines()]
    assert rows[1] == ["web01", "ops@192.0.2.1", "hosts:2", "web,", "prod;", "realtime,", "criticality", "high"]
    assert "not reached: ansible_connection is winrm" in ran.out
    more = here("hosts", "-i", inventory, "-v", "--host", "web")
    assert "peers web02" in more.out
    assert "winrm" not in more.out
    assert more.out.index("prod:") < more.out.index("    web:")
    [host, _] = json.loads(here("hosts", "-i", inventory, "--limit", "web", "--json").out)["hosts"]
    assert (host["tags"], host["peers"], host["groups"]) == (["realtime"], ["web02"], ["prod", "web"])
    assert host["site"] == ""


def test_check_says_all_that_is_wrong(inventory: str, tmp_path: Path) -> None:
    ran = here("hosts", "-i", inventory, "--check")
    assert ran.code == 2, ran.said
    assert "1 host that cannot be reached of 4, 1 note" in ran.out
    assert "ansible_password is not used" in ran.out
    assert here("hosts", "-i", inventory, "--check", "--limit", "web").code == 0
    write(tmp_path, {"bad": "a b\nc d\n", "good": "a\n"})
    bad = here("hosts", "-i", str(tmp_path / "bad"), "--check")
    assert bad.code == 2
    assert "INVALID: 2 problems" in bad.out
    assert len(json.loads(here("hosts", "-i", str(tmp_path / "bad"), "--check", "--json").out)["problems"]) == 2
    assert here("hosts", "-i", str(tmp_path / "good"), "--check").out == "OK: no problems, 1 host\n"
    here("hosts", "-i", str(tmp_path / "bad")).refused(2, "b sets no variable", hint="NAME=VALUE")
    here("hosts").refused(2, "there is no inventory", hint="$RUNBOOK_INVENTORY")


def test_the_next_command_names_the_inventory(server: Server, tmp_path: Path) -> None:
    write(tmp_path, {"hosts": line(server, USER)})
    small = book(tmp_path, act("one", "true"))
    words = [word for word in arguments(server) if not word.startswith(("--host", "--identity"))]
    ran = here("plan", small, "-i", str(tmp_path / "hosts"), *words)
    assert f"runbook run {small} --host search-03 --inventory {tmp_path / 'hosts'}" in ran.out


def completed(*words: str, folder: Path | None = None) -> list[str]:
    env = environment(
        COMP_WORDS=" ".join(["runbook", *words]), COMP_CWORD=str(len(words)), _RUNBOOK_COMPLETE="bash_complete"
    )
    return [
        line.partition(",")[2]
        for line in apart(env={**env, "HOME": str(folder or os.environ["HOME"])}).out.splitlines()
    ]


@pytest.mark.slow
def test_a_shell_is_offered_hosts_groups_and_runbooks(inventory: str) -> None:
    assert completed("facts", "-i", inventory, "--host", "w") == ["web", "win", "web01", "web02", "w1"]
    assert completed("facts", "-i", inventory, "--limit", "web,!web0") == ["web,!web01", "web,!web02"]
    assert completed("facts", "--host", "l") == ["local"]
    assert completed("run", "swap-t") == ["swap-thrashing"]
    assert "_RUNBOOK_COMPLETE" in here("completion", "fish").out


EMPTY = (("--limit", ""), ("--limit", ","), ("--host", " "), ("-i", ""), ("--limit", "web:!"))


@pytest.mark.parametrize("words", EMPTY)
def test_an_empty_word_never_means_all_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, str]
) -> None:
    """A script's empty variable, where the inventory is one that nobody typed."""
    (tmp_path / "hosts").write_text("[web]\n127.0.0.1\n")
    monkeypatch.setenv("RUNBOOK_INVENTORY", str(tmp_path / "hosts"))
    for command in (("hosts",), ("diagnose",), ("run", "memory-shortage", "--yes")):
        assert here(*command, *words).code == 2


TRY = """
. {script}
COMP_LINE="runbook $1" COMP_POINT=$((8 + ${{#1}}))
_runbook_completion runbook
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("facts -i hosts --host web:", "web01"),
        ("facts -i hosts --host 'web:&wi", "web:&win"),
        ("facts -i hosts --host web:\\!wi", "\\!win"),
        ("facts -i hosts --host=wi", "win"),
        ("facts -i hosts --host @ho", "hosts"),
        ("facts -i hosts --host web01,wi", "web01,win"),
        ("facts --format jsonl", "jsonl"),
        ("report --state-dir state 2026", "20261129T121108Z-zdhm"),
        ("resume --state-dir state la", "last"),
    ],
)
def test_bash_completes_behind_each_sign(tmp_path: Path, line: str, offered: str) -> None:
    write(tmp_path, {"hosts": HOSTS})
    (tmp_path / "state" / "runs" / "20261129T121108Z-zdhm").mkdir(parents=True)
    script, bin_ = tmp_path / "completion.bash", Path(sys.executable).parent
    script.write_text(here("completion", "bash").out, encoding="utf-8")
    ran = subprocess.run(
        ["bash", "-c", TRY.format(script=script), "bash", line],
        cwd=tmp_path,
        env={**environment(), "PATH": f"{bin_}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert offered in ran.stdout.splitlines(), ran.stderr


@pytest.mark.usefixtures("machine")
def test_what_is_not_used_of_a_host_is_told_once_where_it_is_worked_on(tmp_path: Path) -> None:
    here_is = "localhost ansible_connection=local ansible_become=no\n"
    write(tmp_path, {"hosts": f"{here_is}other\n", "host_vars/other.yml": "tags: [2025]\n"})
    small, inventory, plan = book(tmp_path, act("one", "true")), str(tmp_path / "hosts"), str(tmp_path / "plan")
    write(tmp_path, {"host_vars/localhost.yml": "tags: [web, 2024]\ncriticality: P1\n"})
    words = ("-i", inventory, "--host", "localhost")
    for ran in (here("plan", small, *words, "--out", plan), here("run", small, *words, "--yes")):
        assert ran.err.count("it is not used; and 1 more like it") == 1
        assert "2025" not in ran.err
    assert here("apply", plan, "-i", inventory).err.count("it is not used; and 1 more like it") == 1


def test_what_may_be_a_tag_of_config_yaml_refuses_its_host(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "hosts": "a\nb\n",
            "host_vars/a.yml": "tags: the payroll team\n",
            "config/config.yaml": "maximum_risk: [{risk: none, tag: payroll}]\n",
        },
    )
    words = ("-i", str(tmp_path / "hosts"), "--config-dir", str(tmp_path / "config"))
    for checked in (here("hosts", "--check", *words), here("hosts", "--check", *words, "--host", "a")):
        assert checked.code == 2
        assert "as in tags: [payroll]" in checked.said
    assert here("hosts", "--check", *words, "--host", "b").code == 0

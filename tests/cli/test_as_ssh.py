"""One configuration with all that people write into one: `runbook` reaches each host where `ssh` does, and no other."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.agents import load_key
from tests.cli.conftest import needs_login
from tests.cli.console import apart, here
from tests.sshd import Sshd, make_key, public, running

REACHED = ("plain", "included", "matched", "hopped", "proxied", "by-agent", "vouched", "aliased")
REFUSED = ("not-matched", "unvouched", "stranger", "closed", "no-way")
CONFIG = """\
Include {folder}/more
Match originalhost matched exec "test -e {folder}/id"
  Port {port}
Match originalhost not-matched exec "test -e {folder}/nothing"
  Port {port}
Match originalhost not-matched
  Port 1
Host hopped
  Port {port}
  ProxyJump first,second
Host proxied
  Port {port}
  ProxyCommand ssh -F {folder}/config -W %h:%p first
Host by-agent
  Port {port}
  IdentityFile none
  IdentityAgent {folder}/agent
Host vouched
  Port {certified}
  UserKnownHostsFile {folder}/authority
Host unvouched
  Port {port}
  UserKnownHostsFile {folder}/authority
Host aliased
  Port {port}
  HostKeyAlias the-alias
  BindAddress 127.0.0.1
Host stranger
  Port {port}
  HostKeyAlias nobody
Host closed
  Port 1
Host no-way
  ProxyCommand false
Host plain first second
  Port {port}
Host *
  HostName 127.0.0.1
  User {user}
  IdentityFile {folder}/id # it's the only one
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""

pytestmark = pytest.mark.skipif(
    not (shutil.which("ssh") and shutil.which("ssh-agent")), reason="OpenSSH's client is not installed here"
)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server, one with a certificate of a host CA, an agent, and the configuration that leads to them."""
    needs_login()
    folder, other = tmp_path_factory.mktemp("net"), tmp_path_factory.mktemp("certified")
    for name in ("ca", "other-host"):
        make_key(folder / name)
    sign = [
        "ssh-keygen",
        "-q",
        "-s",
        str(folder / "ca"),
        "-I",
        "t",
        "-h",
        "-n",
        "127.0.0.1",
        f"{folder}/other-host.pub",
    ]
    subprocess.run(sign, check=True, capture_output=True)
    lines = (f"HostKey {folder}/other-host", f"HostCertificate {folder}/other-host-cert.pub")
    with running(folder) as server, running(other, *lines) as certified:
        (other / "authorized").write_bytes((folder / "id.pub").read_bytes())
        _configure(server, certified)
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", f"{folder}/agent"], stdout=subprocess.DEVNULL)
        try:
            _load(folder)
            yield server
        finally:
            agent.terminate()
            agent.wait(10)


def _configure(server: Sshd, certified: Sshd) -> None:
    folder, key = server.folder, public(server.folder / "host.pub")
    text = CONFIG.format(folder=folder, port=server.port, certified=certified.port, user=server.user)
    (folder / "config").write_text(text, encoding="ascii")
    (folder / "more").write_text(f"Host included\n  Port {server.port}\n", encoding="ascii")
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port},the-alias {key}\n", encoding="ascii")
    (folder / "authority").write_text(f"@cert-authority * {public(folder / 'ca.pub')}\n", encoding="ascii")


def _load(folder: Path) -> None:
    """The key into the agent, once that is there."""
    load_key(folder / "agent", folder / "id")


def _ssh(server: Sshd, name: str) -> bool:
    words = ["ssh", "-T", "-F", f"{server.folder}/config", "-o", "BatchMode=yes", name, "true"]
    done = subprocess.run(words, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return done.returncode == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("more", [[], ["--transport=openssh"]], ids=["ssh", "openssh"])
def test_each_host_is_reached_where_ssh_reaches_it(net: Sshd, more: list[str]) -> None:
    names = (*REACHED, *REFUSED)
    words = ["--quick", "--json", f"--host={','.join(names)}", f"--ssh-config={net.folder}/config", *more]
    ran = apart("diagnose", *words)
    hosts: list[dict[str, Any]] = json.loads(ran.out)["hosts"]
    reached = {host["host"]: host["outcome"] != "unreachable" for host in hosts}
    assert reached == {name: _ssh(net, name) for name in names}
    assert reached == {name: name in REACHED for name in names}, ran.said
    assert ran.code == 4
    told = {host["host"]: host.get("error", "") for host in hosts}
    assert "nothing listens at TCP port 1" in told["not-matched"]
    assert "nothing listens at TCP port 1" in told["closed"]
    assert "the host CA ssh-ed25519" in told["unvouched"]
    assert "the host key is not known" in told["stranger"]


def test_why_another_client_is_used_is_said_with_v(net: Sshd) -> None:
    words = [f"--ssh-config={net.folder}/config", "--quick"]
    ran = here("diagnose", "-v", "--host=proxied,vouched,plain", *words)
    assert "proxied: reached by OpenSSH's client: ProxyCommand ssh " in ran.err
    assert "vouched: reached by OpenSSH's client: a host CA vouches for " in ran.err
    assert "plain: reached" not in ran.err
    ran.plain()
    assert "reached by" not in here("diagnose", "--host=proxied", *words).said


def test_doctor_explains_each_stage(net: Sshd) -> None:
    words = [f"--ssh-config={net.folder}/config", "--json", "--host=hopped,stranger,closed"]
    ran = here("doctor", *words)
    hosts = {host["host"]: host["inspections"] for host in json.loads(ran.out)["hosts"]}
    way = {name: {one["name"]: one for one in found if one["area"] == "way"} for name, found in hosts.items()}
    assert list(way["hopped"])[:6] == ["configuration", "transport", "jump host", "TCP", "SSH", "host key"]
    assert "through 127.0.0.1, 127.0.0.1" in way["hopped"]["configuration"]["said"]
    assert list(way["stranger"])[-1] == "host key"
    assert way["stranger"]["host key"]["state"] == "missing"
    assert "SHA256:" in way["stranger"]["host key"]["said"]
    assert list(way["closed"])[-1] == "TCP"
    assert "nothing listens" in way["closed"]["TCP"]["said"]


def test_a_configuration_that_ssh_refuses_is_refused_with_its_line(net: Sshd, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host web\n  Port twentytwo\n", encoding="ascii")
    words = [f"--ssh-config={tmp_path}/config", "--host=web"]
    here("diagnose", "--quick", *words).refused(2, f"{tmp_path}/config:2", "twentytwo", hint="ssh -G web")
    ran = here("doctor", "--json", *words)
    [host] = json.loads(ran.out)["hosts"]
    stages = [one for one in host["inspections"] if one["area"] == "way"]
    assert [(one["name"], one["state"]) for one in stages] == [("configuration", "missing")]

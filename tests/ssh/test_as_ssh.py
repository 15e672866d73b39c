"""A host is reached where `ssh` reaches it, and refused where `ssh` refuses it, whatever is configured."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from tests.cli.agents import load_key
from tests.ssh.net import Net, Way, has_ipv6
from tests.sshd import MISSING, can_run, make_key, public, running

from memrunbook.core.errors import HostError, HostKeyError, LoginError, RunbookError, Unreachable, UsageError
from memrunbook.core.host import Host
from memrunbook.transports.openssh import OpensshConnector
from memrunbook.transports.shared import ssh_resolve
from memrunbook.transports.shared.reach import OWN_CLIENT
from memrunbook.transports.ssh import SshConnector

pytestmark = pytest.mark.skipif(
    not (can_run() and shutil.which("ssh")), reason=f"{MISSING}, or OpenSSH's client is not"
)
RELAY = """\
import os, socket, sys, threading
link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def up():
    while data := os.read(0, 65536):
        link.sendall(data)
    link.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while data := link.recv(65536):
    os.write(1, data)
"""


REACHED = {
    "a comment with an apostrophe": "Host web # the boss's\n HostName 127.0.0.1 # it's here\n Port {inner}\n",
    "no proxy command": "Host web\n HostName 127.0.0.1\n Port {inner}\n ProxyCommand none\n PKCS11Provider none\n",
    "match exec": 'Match originalhost web exec "test -d {folder}"\n HostName 127.0.0.1\n Port {inner}\n',
    "include": "Include {folder}/more\n",
    "an alias of the key": "Host web\n HostName 127.0.0.1\n Port {inner}\n HostKeyAlias the-web\n",
    "tokens": "Host 127.0.0.*\n HostName %h\n Port {inner}\nHost web\n HostName 127.0.0.1\n Port {inner}\n"
    " UserKnownHostsFile {folder}/%n.known\n",
    "bind address": "Host web\n HostName 127.0.0.1\n Port {inner}\n BindAddress 127.0.0.9\n",
    "address family": "Host web\n HostName localhost\n Port {inner}\n AddressFamily inet\n",
    "a jump": "Host web\n HostName 127.0.0.1\n Port {inner}\n ProxyJump gate\n",
    "two jumps": "Host web\n HostName 127.0.0.1\n Port {inner}\n ProxyJump gate,second\n",
    "a jump of a jump": "Host web\n HostName 127.0.0.1\n Port {inner}\n ProxyJump second\n"
    "Host second\n ProxyJump gate\n",
    "jumps as urls": "Host web\n HostName 127.0.0.1\n Port {inner}\n ProxyJump ssh://127.0.0.1:{outer}\n",
    "no jump": "Host web\n HostName 127.0.0.1\n Port {inner}\n ProxyJump none\n",
}
HOPS = "Host gate second\n HostName 127.0.0.1\n Port {outer}\n"


@pytest.mark.parametrize("text", REACHED.values(), ids=REACHED)
def test_it_is_reached_as_ssh_reaches_it(net: Net, way: Way, text: str) -> None:
    key = public(net.folder / "host.pub")
    (net.folder / "more").write_text(f"Host web\n HostName 127.0.0.1\n Port {net.inner.port}\n", encoding="ascii")
    (net.folder / "web.known").write_text((net.folder / "known_hosts").read_text(encoding="ascii"), encoding="ascii")
    with (net.folder / "known_hosts").open("a", encoding="ascii") as known:
        known.write(f"the-web {key}\n")
    net.configure(text + HOPS)
    assert net.ssh("web")
    passed = net.reach("web", way)
    assert passed["key"] == net.inner.fingerprint()
    if way is SshConnector:
        assert passed["transport"] == OWN_CLIENT, "the usual way is ours"


OWN_READER = {name: text for name, text in REACHED.items() if "Match" not in text and "Include" not in text}


@pytest.mark.parametrize("text", OWN_READER.values(), ids=OWN_READER)
def test_without_openssh_s_client_our_own_reader_leads_there(
    net: Net, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (net.folder / "web.known").write_text((net.folder / "known_hosts").read_text(encoding="ascii"), encoding="ascii")
    with (net.folder / "known_hosts").open("a", encoding="ascii") as known:
        known.write(f"the-web {public(net.folder / 'host.pub')}\n")
    net.configure(text + HOPS)
    monkeypatch.setattr(ssh_resolve, "ssh_program", lambda: "")
    passed = net.reach("web")
    assert (passed["transport"], passed["key"]) == (OWN_CLIENT, net.inner.fingerprint())


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
@pytest.mark.parametrize("jump", ["", " ProxyJump [::1]:{outer}\n"])
def test_ipv6(net: Net, way: Way, jump: str) -> None:
    net.configure("Host web\n HostName ::1\n Port {inner}\n" + jump)
    assert net.ssh("web")
    assert net.reach("web", way)["key"] == net.inner.fingerprint()


def test_a_canonical_name(net: Net, way: Way) -> None:
    net.configure(
        "CanonicalizeHostname yes\nCanonicalDomains no.invalid\nMatch canonical host localhost\n Port {inner}\n"
    )
    assert net.ssh("localhost")
    assert net.reach("localhost", way)["key"] == net.inner.fingerprint()


PROXIES = {"ssh -W": "ssh -F {folder}/config -W %h:%p gate", "a relay": "{folder}/relay %p"}
if shutil.which("socat"):
    PROXIES["socat"] = "socat - TCP4:%h:%p"
if shutil.which("nc"):
    PROXIES["nc"] = "nc %h %p"


@pytest.mark.parametrize("command", PROXIES.values(), ids=PROXIES)
def test_a_proxy_command_is_left_to_openssh_and_that_is_said(net: Net, command: str) -> None:
    (net.folder / "relay").write_text(f"#!{sys.executable}\n{RELAY}", encoding="ascii")
    (net.folder / "relay").chmod(0o755)
    net.configure(f"Host web\n HostName 127.0.0.1\n Port {{inner}}\n ProxyCommand {command}\n{HOPS}")
    assert net.ssh("web")
    passed = net.reach("web")
    assert passed["transport"].startswith("OpenSSH's client: ProxyCommand ")
    assert passed["TCP"].startswith("through ProxyCommand ")
    assert passed["key"] == net.inner.fingerprint()


def test_a_proxy_command_that_ends_at_once_or_never_speaks(net: Net) -> None:
    net.configure("Host web\n ProxyCommand false\nHost mute\n ProxyCommand sleep 60\n")
    assert not net.ssh("web")
    with pytest.raises(Unreachable, match=r"the way there ended before an SSH banner came \(ProxyCommand false\)"):
        net.reach("web")
    times = replace(net.options.timeouts, tcp=0.2, banner=0.2, login=0.2)
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"the way there \(ProxyCommand sleep 60\) was not finished"):
        SshConnector(Host(name="mute"), replace(net.options, timeouts=times)).connect()
    assert time.monotonic() - began < 5


REFUSED: dict[str, tuple[str, type[RunbookError], str]] = {
    "a port that is none": ("Host web\n Port twentytwo\n", UsageError, "twentytwo"),
    "a word that is none": ("Host web\n Riddle 1\n", UsageError, "riddle"),
    "a jump to itself": ("Host web\n ProxyJump web\n", UsageError, "jumphost loop"),
    "a jump host that is down": (
        "Host web\n ProxyJump 127.0.0.1:1\n", Unreachable, "nothing listens at TCP port 1",
    ),
    "a host that is down behind a jump": (
        "Host web\n HostName 127.0.0.1\n Port 1\n ProxyJump gate\n",
        Unreachable, r"the jump host gate \(.*\) could not connect",
    ),
    "another key": (
        "Host web\n HostName 127.0.0.1\n Port {inner}\n HostKeyAlias gate\n", HostKeyError, "HAS CHANGED",
    ),
    "an unknown jump host": (
        "Host web\n HostName 127.0.0.1\n Port {inner}\n ProxyJump second\nHost second\n HostKeyAlias nobody\n",
        HostKeyError, "the host key is not known",
    ),
    "a key that the jump host refuses": (
        "Host web\n HostName 127.0.0.1\n Port {inner}\n ProxyJump nobody@gate\n", LoginError, "refused nobody with",
    ),
    "a bind address that is not ours": (
        "Host web\n HostName 127.0.0.1\n Port {inner}\n BindAddress 192.0.2.9\n", Unreachable, "192.0.2.9|assign",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "error", "why"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_as_ssh_refuses_it(net: Net, way: Way, text: str, error: type[RunbookError], why: str) -> None:
    with (net.folder / "known_hosts").open("a", encoding="ascii") as known:
        known.write(f"gate {public(net.outer.folder / 'host.pub')}\n")
    net.configure(text + HOPS)
    assert not net.ssh("web")
    with pytest.raises(error, match=why) as refused:
        net.reach("web", way)
    assert refused.value.where
    if error is HostKeyError:
        assert "SHA256:" in refused.value.message
        assert "ssh-key" in refused.value.hint


def test_a_fault_of_the_file_is_told_with_its_line(net: Net) -> None:
    net.configure("Host web\n Port twentytwo\n")
    with pytest.raises(UsageError) as refused:
        net.reach("web")
    assert refused.value.where == f"{net.config}:2"


def test_a_match_that_hangs_ends_within_the_deadline(net: Net, way: Way) -> None:
    net.configure('Match exec "sleep 60"\n Port 1\n')
    times = replace(net.options.timeouts, configuration=0.5)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="did not end within") as late:
        way(Host(name="web"), replace(net.options, timeouts=times)).connect()
    assert time.monotonic() - began < 5
    assert "Match exec" in late.value.hint


@contextmanager
def _agent(folder: Path, key: Path) -> Iterator[str]:
    path = f"{folder}/a.sock"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not Path(path).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        load_key(path, key)
        yield path
    finally:
        agent.terminate()
        agent.wait(10)


def test_the_agent_that_the_configuration_names(net: Net, way: Way, tmp_path: Path) -> None:
    with _agent(tmp_path, net.folder / "id") as path:
        text = "Host web\n HostName 127.0.0.1\n Port {inner}\n IdentityFile none\n IdentitiesOnly no\n"
        net.configure(f"{text} IdentityAgent {path}\nHost bare\n HostName 127.0.0.1\n Port {{inner}}\n")
        config = net.config.read_text().replace(f"IdentityFile {net.folder}/id\n", f"IdentityFile {tmp_path}/none\n")
        net.config.write_text(config)
        assert net.ssh("web")
        assert "agent" in net.reach("web", way)["login"]
        assert not net.ssh("bare")
        with pytest.raises(LoginError):
            net.reach("bare", way)


def _sign(ca: Path, key: Path, *words: str) -> None:
    make = ["ssh-keygen", "-q", "-s", str(ca), "-I", "test", *words, f"{key}.pub"]
    subprocess.run(make, check=True, capture_output=True)


@pytest.mark.parametrize("held", ["a file", "an agent"])
def test_a_certificate_of_the_user(net: Net, way: Way, tmp_path: Path, held: str) -> None:
    for name in ("ca", "mine"):
        make_key(tmp_path / name)
    _sign(tmp_path / "ca", tmp_path / "mine", "-n", net.inner.user)
    (tmp_path / "mine-cert.pub").rename(tmp_path / "signed.pub")
    (tmp_path / "server").mkdir()
    with running(tmp_path / "server", f"TrustedUserCAKeys {tmp_path}/ca.pub") as sshd:
        known = f"UserKnownHostsFile {sshd.folder}/known_hosts\n"
        text = f"Host *\n HostName 127.0.0.1\n Port {sshd.port}\n{known}IdentityFile {tmp_path}/mine\n"
        net.configure(f"Host web\n CertificateFile {tmp_path}/signed.pub\n{text}")
        net.config.write_text(net.config.read_text().replace(f"IdentityFile {net.folder}/id\n", ""))
        with _agent(tmp_path, tmp_path / "mine") as agent:
            if held == "an agent":
                (tmp_path / "mine").unlink()
                net.config.write_text(f"IdentityAgent {agent}\n{net.config.read_text()}")
            assert net.ssh("web")
            assert net.reach("web", way)["key"] == sshd.fingerprint()
            assert not net.ssh("bare")
            with pytest.raises(LoginError):
                net.reach("bare", way)


CERTIFICATES = {
    "of the host": (("-n", "127.0.0.1"), ""),
    "of another host": (("-n", "db7"), "not a listed principal"),
    "that is over": (("-n", "127.0.0.1", "-V", "20200101:20200201"), "expired"),
    "that is none": ((), "without a certificate of it"),
}


@pytest.mark.parametrize(("words", "why"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_host_ca_vouches_or_does_not_and_nobody_is_sent_to_keyscan(
    way: Way, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    make_key(tmp_path / "ca")
    make_key(tmp_path / "host")
    (tmp_path / "keep").mkdir()
    lines = [f"HostCertificate {tmp_path}/host-cert.pub", f"HostKey {tmp_path}/host"] if words else []
    if words:
        _sign(tmp_path / "ca", tmp_path / "host", "-h", *words)
    with running(tmp_path / "keep", *lines) as sshd:
        text = f"@cert-authority [127.0.0.1]:* {public(tmp_path / 'ca.pub')}\n"
        (sshd.folder / "known_hosts").write_text(text, encoding="ascii")
        if not why:
            session = way(sshd.host, sshd.options).connect()
            assert session.execute("echo ok").text == "ok\n"
            assert session.identity.host_key.startswith("SHA256:")
            session.close()
            return
        with pytest.raises(HostKeyError, match=why) as refused:
            way(sshd.host, sshd.options).connect()
    assert "the host CA ssh-ed25519 SHA256:" in refused.value.message
    assert "keyscan" not in refused.value.hint
    assert "ssh-keygen -s CA -h" in refused.value.hint


def test_without_openssh_s_client_a_host_ca_is_named_and_not_passed_over(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    (net.folder / "known_hosts").write_text(f"@cert-authority * {public(net.folder / 'host.pub')}\n", encoding="ascii")
    monkeypatch.setattr(ssh_resolve, "ssh_program", lambda: "")
    options = replace(net.inner.options, known_hosts=(net.folder / "known_hosts",))
    with pytest.raises(Unreachable, match="a host CA vouches for") as refused:
        SshConnector(net.inner.host, options).connect()
    assert "openssh-client" in refused.value.hint
    with pytest.raises(UsageError, match="is not installed here"):
        OpensshConnector(net.inner.host, options).connect()


def test_a_key_that_the_inventory_names_needs_no_known_hosts(net: Net, way: Way) -> None:
    net.configure("Host web\n HostName 127.0.0.1\n Port {inner}\n")
    (net.folder / "known_hosts").write_text("", encoding="ascii")
    right, wrong = net.inner.fingerprint(), net.outer.fingerprint()
    assert net.reach("web", way, host_key_sha256=right)["key"] == right
    assert net.reach("web", way, host_key_sha256=f"{wrong}, {right[7:]}")["key"] == right
    with pytest.raises(HostKeyError, match="NOT THE ONE OF THE INVENTORY") as refused:
        net.reach("web", way, host_key_sha256=wrong)
    assert right in refused.value.message
    assert wrong in refused.value.message
    with pytest.raises(UsageError, match="is no fingerprint"):
        net.reach("web", way, host_key_sha256="SHA256:short")


def test_a_pinned_key_holds_against_known_hosts_too(net: Net, way: Way) -> None:
    net.configure("Host web\n HostName 127.0.0.1\n Port {inner}\n")
    with pytest.raises(HostKeyError, match="NOT THE ONE OF THE INVENTORY"):
        net.reach("web", way, host_key_sha256=net.outer.fingerprint())


@contextmanager
def _master(net: Net, name: str, path: Path) -> Iterator[None]:
    words = ["ssh", "-F", str(net.config), "-N", "-M", "-S", str(path), "-o", "StrictHostKeyChecking=yes", name]
    master = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        yield
    finally:
        master.terminate()
        master.wait(60)  # a machine with much to do


def test_a_connection_that_the_user_has_open_is_used_and_left_open(net: Net, tmp_path: Path) -> None:
    path = Path(f"/tmp/runbook-test-{os.getpid()}")
    net.configure(f"Host web\n HostName 127.0.0.1\n Port {{inner}}\n ControlPath {path}\n ControlMaster auto\n")
    with _master(net, "web", path):
        (net.folder / "id").rename(tmp_path / "id")  # nobody else gets in any more
        try:
            passed = net.reach("web", OpensshConnector)
            assert "your open connection" in passed["login"]
            assert net.reach("web")["transport"].startswith("OpenSSH's client: a connection of yours is open there")
            assert net.ssh("web")
        finally:
            (tmp_path / "id").rename(net.folder / "id")
    assert not path.exists()
    passed = net.reach("web", OpensshConnector)
    assert "your open connection" not in passed["login"]
    assert not path.exists(), "none is left behind"


def test_a_socket_that_nobody_answers_at_is_passed_over(net: Net) -> None:
    path = Path(f"/tmp/runbook-test-dead-{os.getpid()}")
    net.configure(f"Host web\n HostName 127.0.0.1\n Port {{inner}}\n ControlPath {path}\n")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    try:
        assert net.reach("web", OpensshConnector)["key"] == net.inner.fingerprint()
    finally:
        path.unlink(missing_ok=True)


def _text(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data


def _security_key(path: Path) -> None:
    """A key file that points into a device, as PROTOCOL.u2f writes it; the device is nobody's."""
    shown = _text(b"sk-ssh-ed25519@openssh.com") + _text(bytes(32)) + _text(b"ssh:")
    secret = bytes(8) + shown + b"\1" + _text(b"handle") + _text(b"") + _text(b"test")
    secret += bytes(range(1, 1 + (-len(secret)) % 8))
    head = b"openssh-key-v1\0" + _text(b"none") + _text(b"none") + _text(b"") + (1).to_bytes(4)
    body = base64.b64encode(head + _text(shown) + _text(secret)).decode()
    path.write_text(
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n", encoding="ascii"
    )
    path.chmod(0o600)


def test_a_security_key_is_left_to_openssh(net: Net, tmp_path: Path) -> None:
    _security_key(tmp_path / "device")
    text = f"Host web\n HostName 127.0.0.1\n Port {{inner}}\n IdentityFile {tmp_path}/device\n"
    net.configure(text)
    assert net.reach("web")["transport"] == OWN_CLIENT, "another key opened"
    net.config.write_text(net.config.read_text().replace(f"IdentityFile {net.folder}/id\n", ""))
    passed: dict[str, str] = {}
    options = replace(net.options, passed=lambda _, stage, said: passed.update({stage: said}))
    with pytest.raises(LoginError):
        SshConnector(Host(name="web"), options).connect()
    assert passed["transport"] == f"OpenSSH's client: {tmp_path}/device is a security key"


LEFT = {
    "PKCS11Provider": "PKCS11Provider /nowhere.so",
    "KnownHostsCommand": "KnownHostsCommand /bin/true",
    "VerifyHostKeyDNS": "VerifyHostKeyDNS yes",
    "BindInterface": "BindInterface lo",
}


@pytest.mark.parametrize("line", LEFT.values(), ids=LEFT)
def test_what_our_client_cannot_do_is_left_to_openssh(net: Net, line: str) -> None:
    net.configure(f"Host web\n HostName 127.0.0.1\n Port {{inner}}\n {line}\n")
    assert net.ssh("web")
    assert net.reach("web")["transport"].startswith(f"OpenSSH's client: {line.split(maxsplit=1)[0]} ")


def test_a_login_that_only_kerberos_could_open_is_left_to_openssh(net: Net, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with running(tmp_path / "server", "GSSAPIAuthentication yes") as sshd:
        known = f" UserKnownHostsFile {sshd.folder}/known_hosts\n GSSAPIAuthentication yes\n"
        net.configure(f"Host web\n HostName 127.0.0.1\n Port {sshd.port}\n{known}")
        passed: dict[str, str] = {}
        options = replace(net.options, passed=lambda _, stage, said: passed.update({stage: said}))
        with pytest.raises(LoginError, match="refused"):
            SshConnector(Host(name="web"), options).connect()
    assert passed["transport"] == "OpenSSH's client: GSSAPIAuthentication"


def test_a_host_that_knows_sha1_alone_is_left_to_openssh(net: Net, tmp_path: Path) -> None:
    make = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(tmp_path / "old")]
    subprocess.run(make, check=True)
    (tmp_path / "server").mkdir()
    with running(tmp_path / "server", f"HostKey {tmp_path}/old", "HostKeyAlgorithms ssh-rsa") as sshd:
        (sshd.folder / "authorized").write_bytes((net.folder / "id.pub").read_bytes())
        (sshd.folder / "known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {public(tmp_path / 'old.pub')}\n")
        known = f" UserKnownHostsFile {sshd.folder}/known_hosts\n"
        text = f"Host *\n HostName 127.0.0.1\n Port {sshd.port}\n{known}"
        net.configure(f"Host web\n HostKeyAlgorithms +ssh-rsa\n{text}")
        assert net.ssh("web")
        left_to_openssh = net.reach("web")["transport"].startswith("OpenSSH's client: they know no algorithm")
        assert left_to_openssh != (int(paramiko.__version__.partition(".")[0]) < 5), "an older paramiko knows it itself"
        assert not net.ssh("strict")
        with pytest.raises(HostError, match="no common way to encrypt"):
            net.reach("strict")


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a name that leaves room for that of a socket."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


def test_nothing_is_left_of_openssh_s_clients_however_we_end(net: Net, short: Path) -> None:
    net.configure("Host web\n HostName 127.0.0.1\n Port {inner}\n")
    script = f"""
import os, signal
from pathlib import Path
from memrunbook.core.host import Host
from memrunbook.transports.openssh import OpensshConnector
from memrunbook.transports.shared.ssh_options import SshOptions
session = OpensshConnector(Host("web"), SshOptions(ssh_config=Path({str(net.config)!r}))).connect()
print(session.execute("echo $$").text, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "TMPDIR": str(short)}
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60, env=environment
    )
    shell = int(done.stdout)
    assert list(short.glob("runbook-*/config"))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (_lives(shell) or _clients(short)):
        time.sleep(0.05)
    assert not _lives(shell)
    assert not _clients(short)


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _clients(folder: Path) -> list[str]:
    """Processes of this machine whose command line names the folder."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(folder).encode() in (words := one.read_bytes()):
                found.append(words.decode(errors="replace"))
    return found

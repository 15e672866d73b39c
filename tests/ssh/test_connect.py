"""Reaching a host by SSH: every way in which it can fail says what, where, why and what to do."""

from __future__ import annotations

import base64
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.agents import load_key
from tests.ssh.net import Way
from tests.ssh.servers import Server, listening
from tests.sshd import QUICK, Sshd, free_port, make_key, running

from memrunbook.core.errors import HostKeyError, LoginError, SudoError, Unreachable
from memrunbook.core.host import Host
from memrunbook.transports.shared import ssh_resolve
from memrunbook.transports.shared.agents import Agents
from memrunbook.transports.shared.ssh_keys import KeyRing
from memrunbook.transports.shared.ssh_options import SshOptions
from memrunbook.transports.shared.target import find_target
from memrunbook.transports.ssh import SshConnector


def _known(server: Server) -> Path:
    return server.folder / "known_hosts"


def _connect(way: Way, server: Server, **options: object) -> None:
    way(server.host, replace(server.options, **options)).connect().close()  # type: ignore[arg-type]  # named in each test


def test_an_unknown_key_is_refused_with_fingerprint_and_remedy(way: Way, openssh: Sshd) -> None:
    (openssh.folder / "known_hosts").write_text("", encoding="ascii")
    with pytest.raises(HostKeyError, match=openssh.fingerprint().replace("+", r"\+")) as refused:
        way(openssh.host, openssh.options).connect()
    assert refused.value.where == f"[127.0.0.1]:{openssh.port}"
    assert f"ssh-keyscan -t ed25519 -p {openssh.port} 127.0.0.1 >>" in refused.value.hint
    assert "--accept-new-host-keys" in refused.value.hint


def test_a_new_key_is_saved_when_that_is_asked_for(way: Way, server: Server) -> None:
    known = _known(server).read_text(encoding="ascii")
    _known(server).unlink()
    _connect(way, server, accept_new=True)
    assert _known(server).read_text(encoding="ascii").split()[:3] == known.split()[:3]
    _connect(way, server)


def test_a_changed_key_is_refused_even_when_new_ones_are_accepted(way: Way, server: Server) -> None:
    line = _known(server).read_text(encoding="ascii").split()
    changed = base64.b64encode(base64.b64decode(line[2])[:-1] + b"x").decode()
    _known(server).write_text(f"# known\n{line[0]} {line[1]} {changed}\n", encoding="ascii")
    with pytest.raises(HostKeyError) as refused:
        _connect(way, server, accept_new=True)
    assert refused.value.message.count("SHA256:") == 2
    assert f"{_known(server)}:2" in refused.value.message
    assert f"ssh-keygen -f {_known(server)} -R '[127.0.0.1]:{server.port}'" in refused.value.hint


def test_a_revoked_key_is_refused(way: Way, server: Server) -> None:
    line = _known(server).read_text(encoding="ascii")
    _known(server).write_text(f"{line}\n@revoked * {' '.join(line.split()[1:3])}\n", encoding="ascii")
    with pytest.raises(HostKeyError, match="revoked"):
        _connect(way, server)


def test_the_wrong_user_is_refused(way: Way, server: Server) -> None:
    with pytest.raises(LoginError, match="refused bob with 1 key: ") as refused:
        way(replace_user(server.host, "bob"), server.options).connect()
    assert "--identity" in refused.value.hint
    assert server.logins == ["bob"]


def replace_user(host: Host, user: str) -> Host:
    return Host(name=host.name, user=user, port=host.port)


def test_no_key_at_all(way: Way, server: Server) -> None:
    with pytest.raises(LoginError, match="no usable key"):
        _connect(way, server, identities=())


def test_an_encrypted_key_names_the_agent(way: Way, server: Server) -> None:
    locked = server.folder / "locked"
    make_key(locked, passphrase="secret")
    with pytest.raises(LoginError, match="encrypted") as refused:
        _connect(way, server, identities=(locked,))
    assert refused.value.hint == f"ssh-add {locked}"


def test_keys_that_are_none_are_named(way: Way, server: Server) -> None:
    (server.folder / "junk").write_text("no key\n", encoding="ascii")
    (server.folder / "junk").chmod(0o600)
    with pytest.raises(LoginError, match=r"no such file.*no private key"):
        _connect(way, server, identities=(server.folder / "none", server.folder / "junk"))


def test_a_key_that_others_may_read_is_not_used_as_ssh_does_not(way: Way, server: Server) -> None:
    (server.folder / "id").chmod(0o644)
    with pytest.raises(LoginError, match=f"others may read it: chmod 600 {server.folder}/id"):
        _connect(way, server)


def test_default_keys_are_found(server: Server, own_home: Path) -> None:
    shutil.copy(server.folder / "id", own_home / ".ssh" / "id_ed25519")
    _connect(SshConnector, server, identities=())  # ssh itself looks into the home of the user database


@pytest.mark.skipif(not shutil.which("ssh-agent"), reason="ssh-agent is not installed here")
def test_the_agent_is_asked_for_an_encrypted_key(way: Way, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{server.folder}/agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        _wait(path)
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        (server.folder / "id").chmod(0o600)
        load_key(path, server.folder / "id")
        _connect(way, server, identities=())
        lock = ["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(server.folder / "id")]
        subprocess.run(lock, check=True, stdout=subprocess.DEVNULL)
        _connect(way, server)
    finally:
        agent.terminate()
        agent.wait(10)


def _wait(path: str) -> None:
    deadline = time.monotonic() + 10
    while not Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_silent_agent_keeps_nobody_from_logging_in_by_the_usual_file(
    server: Server, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(server.folder / "id", own_home / ".ssh" / "id_ed25519")
    held: list[socket.socket] = []
    monkeypatch.setenv("SSH_AUTH_SOCK", f"{server.folder}/agent")
    options = replace(server.options, identities=(), agents=Agents(seconds=60.0))
    with _agent(f"{server.folder}/agent", held.append):
        began = time.monotonic()
        SshConnector(server.host, options).connect().close()
        assert time.monotonic() - began < 20
    assert len(held) == 1


@contextmanager
def _agent(path: str, treat: Callable[[socket.socket], object]) -> Iterator[None]:
    """An agent that accepts, and treats each connection as it likes."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    treat(door.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)


def test_an_agent_that_breaks_is_left_out_and_named_where_no_key_is_left(
    way: Way, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", f"{server.folder}/agent")
    with _agent(f"{server.folder}/agent", lambda connection: connection.close()):
        _connect(way, server)
        with pytest.raises(LoginError, match="the ssh agent does not answer"):
            _connect(way, server, identities=())


def test_a_silent_agent_ends_within_its_deadline_and_delays_no_other_host(
    way: Way, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[socket.socket] = []
    monkeypatch.setenv("SSH_AUTH_SOCK", f"{server.folder}/agent")
    options = replace(server.options, agents=Agents(seconds=0.5))
    with _agent(f"{server.folder}/agent", held.append):
        for _ in range(3):
            way(server.host, options).connect().close()
        assert len(held) <= 1, "it is asked once, and where the key of a file opens never"
        with pytest.raises(LoginError, match="accepts, and did not answer within") as refused:
            way(server.host, replace(options, identities=())).connect()
    assert "SSH_AUTH_SOCK=" in refused.value.hint


def test_a_host_that_is_down_or_has_no_sshd(way: Way, server: Server) -> None:
    with pytest.raises(Unreachable, match="refused: nothing listens"):
        way(Host(name="127.0.0.1", port=free_port()), server.options).connect()


def test_a_name_that_does_not_resolve(way: Way, server: Server) -> None:
    with pytest.raises(Unreachable, match="could not be resolved") as refused:
        way(Host(name="no-such-host.invalid"), server.options).connect()
    assert refused.value.where == "no-such-host.invalid"


def test_a_port_that_accepts_no_more_is_a_timeout(way: Way, server: Server) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queue = []
        for _ in range(3):
            queue.append(socket.socket())
            queue[-1].setblocking(False)
            queue[-1].connect_ex(full.getsockname())
        options = replace(server.options, timeouts=replace(QUICK, tcp=0.5))
        with pytest.raises(Unreachable, match="no answer at TCP port"):
            way(Host(name="127.0.0.1", port=full.getsockname()[1]), options).connect()
        for waiting in queue:
            waiting.close()


def test_a_silent_port_may_be_a_thrashing_host(way: Way, server: Server) -> None:
    with listening(lambda _connection: None) as port:
        began = time.monotonic()
        with pytest.raises(
            Unreachable, match="TCP accepts, no SSH banner in 1 s: the host may be thrashing"
        ) as refused:
            way(Host(name="127.0.0.1", port=port), server.options).connect()
    assert time.monotonic() - began < 3
    assert "--patience" in refused.value.hint


def test_patience_waits_longer_and_tells(way: Way, server: Server) -> None:
    told: list[tuple[str, str, float]] = []

    def greet(connection: socket.socket) -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port)) as real:
            time.sleep(1.6)  # longer than the banner's deadline
            _relay(connection, real)

    with listening(greet) as port:
        options = replace(server.options, patience=20, notice=lambda *words: told.append(words), accept_new=True)
        way(replace(server, port=port).host, options).connect().close()
    assert told[-1][0] == "127.0.0.1"
    assert any("no SSH banner" in what and waited > 1 for _, what, waited in told)


def _relay(one: socket.socket, other: socket.socket) -> None:
    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(pump, one, other)
        pool.submit(pump, other, one)


def test_a_banner_without_an_end_is_no_banner(way: Way, server: Server) -> None:
    with (
        listening(lambda connection: connection.sendall(b"SSH-2.0-Open")) as port,
        pytest.raises(Unreachable, match="no SSH banner"),
    ):
        way(Host(name="127.0.0.1", port=port), server.options).connect()


def test_a_key_exchange_that_stalls(way: Way, server: Server) -> None:
    options = replace(server.options, timeouts=replace(QUICK, login=0.5))
    with (
        listening(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.0\r\n")) as port,
        pytest.raises(Unreachable, match="the key exchange was not finished after"),
    ):
        way(Host(name="127.0.0.1", port=port), options).connect()


def test_a_port_that_is_no_ssh_server(way: Way, server: Server) -> None:
    greeting = b"HTTP/1.1 400 \x1b[31mBad Request\r\n" * 101
    with (
        listening(lambda connection: connection.sendall(greeting)) as port,
        pytest.raises(Unreachable, match="no SSH server") as refused,
    ):
        way(Host(name="127.0.0.1", port=port), server.options).connect()
    assert "\x1b" not in refused.value.message


def test_a_host_that_hangs_up_before_the_banner(way: Way, server: Server) -> None:
    with (
        listening(lambda connection: connection.close()) as port,
        pytest.raises(Unreachable, match="closed the connection before its SSH banner") as refused,
    ):
        way(Host(name="127.0.0.1", port=port), server.options).connect()
    assert "fork" in refused.value.hint


def test_a_host_that_hangs_up_in_the_key_exchange(way: Way, server: Server) -> None:
    def greet(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH_9.0\r\n")
        connection.recv(4096)
        connection.shutdown(socket.SHUT_RDWR)

    with listening(greet) as port, pytest.raises(Unreachable, match="ended in the key exchange"):
        way(Host(name="127.0.0.1", port=port), server.options).connect()


def test_sudo_is_used_where_it_works(way: Way, server: Server) -> None:
    server.sudo = ""
    session = way(server.host, server.options).connect()
    assert server.commands == ["exec sudo -n sh -s"]
    assert session.root is (os.geteuid() == 0)
    session.close()


def test_without_sudo_the_work_goes_on_as_the_user(way: Way, server: Server) -> None:
    session = way(server.host, server.options).connect()
    assert server.commands == ["exec sudo -n sh -s", "exec sh -s"]
    assert session.execute("echo ok").text == "ok\n"
    assert session.no_root == "sudo: a password is required"
    session.close()


def test_sudo_never(way: Way, server: Server) -> None:
    _connect(way, server, sudo="never")
    assert server.commands == ["exec sh -s"]


def test_root_that_is_demanded_and_refused(way: Way, server: Server) -> None:
    with pytest.raises(SudoError, match="sudo refused for ada: sudo: a password is required") as refused:
        _connect(way, server, sudo="always")
    assert "NOPASSWD" in refused.value.hint


def test_a_forced_command_is_no_shell(way: Way, server: Server) -> None:
    server.answer = b"This account is only for \x1b[31mmenus\n"
    with pytest.raises(LoginError, match="got no shell: This account is only for") as refused:
        _connect(way, server)
    assert "\x1b" not in refused.value.message


def test_a_shell_that_never_answers(way: Way, server: Server) -> None:
    server.deaf = True
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no shell answered in 1 s"):
        _connect(way, server, sudo="never", timeouts=replace(QUICK, channel=1.0))
    assert time.monotonic() - began < 4


def test_a_banner_of_any_length_before_the_shell(way: Way, openssh: Sshd) -> None:
    (openssh.folder / "authorized").write_text(
        'command="seq 30000; exec sh -s" ' + (openssh.folder / "id.pub").read_text(encoding="ascii"), encoding="ascii"
    )
    session = way(openssh.host, openssh.options).connect()
    assert session.execute("echo ok").text == "ok\n"
    session.close()


def test_too_many_logins(way: Way, tmp_path: Path, openssh: Sshd) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    others = tuple(folder / f"other{number}" for number in range(3))
    with running(folder, "MaxAuthTries 1") as strict:
        for path in others:
            make_key(path)
        with pytest.raises(LoginError) as refused:
            way(strict.host, replace(strict.options, identities=others)).connect()
    assert "key" in refused.value.hint


def test_a_user_without_key_logins(way: Way, tmp_path: Path, openssh: Sshd) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    with (
        running(folder, "PubkeyAuthentication no", "PasswordAuthentication yes") as strict,
        pytest.raises(LoginError, match="does not let this user log in with a key"),
    ):
        way(strict.host, strict.options).connect()


def test_a_jump_host(way: Way, openssh: Sshd, server: Server) -> None:
    _known(server).write_text(
        _known(server).read_text(encoding="ascii") + (openssh.folder / "known_hosts").read_text(encoding="ascii"),
        encoding="ascii",
    )
    config = server.folder / "config"
    config.write_text(
        f"Host inner\n HostName 127.0.0.1\n Port {server.port}\n User ada\n ProxyJump {openssh.user}@outer\n"
        f"Host outer\n HostName 127.0.0.1\n Port {openssh.port}\n IdentityFile {openssh.folder}/id\n",
        encoding="ascii",
    )
    session = way(Host(name="inner"), server.options).connect()
    assert session.execute("echo via").text == "via\n"
    assert session.identity.user == "ada"
    session.close()
    config.write_text(config.read_text(encoding="ascii").replace(str(server.port), str(free_port())), encoding="ascii")
    said = r"the jump host outer \(127.0.0.1:\d+\) could not connect to 127.0.0.1 port \d+: Connection refused"
    with pytest.raises(Unreachable, match=said):
        way(Host(name="inner"), replace_options(server.options)).connect()


def replace_options(options: SshOptions) -> SshOptions:
    """The same options, with nothing read yet."""
    return replace(options, _known={}, _rings=[])


def test_a_key_is_loaded_once_for_all_hosts(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    options = server.options
    ring = options.ring()
    with ThreadPoolExecutor(8) as pool:
        sessions = list(pool.map(lambda _: SshConnector(server.host, options).connect(), range(8)))
    assert options.ring() is ring
    assert isinstance(ring, KeyRing)
    assert list(ring._loaded) == [server.folder / "id"]
    for session in sessions:
        assert session.execute("echo ok").text == "ok\n"
        session.close()


def test_a_login_that_stalls(way: Way, server: Server) -> None:
    server.slow_login = True
    with pytest.raises(Unreachable, match="the login was not finished after"):
        _connect(way, server, timeouts=replace(QUICK, login=0.5))


def test_where_our_client_knows_no_cipher_of_the_host_openssh_s_is_used(
    tmp_path: Path, openssh: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, passed = tmp_path / "strict", dict[str, str]()
    folder.mkdir()
    with running(folder, "MACs umac-64@openssh.com", "Ciphers aes128-ctr") as sshd:
        options = replace(sshd.options, passed=lambda _, stage, said: passed.update({stage: said}))
        session = SshConnector(sshd.host, options).connect()
        assert session.execute("echo ok").text == "ok\n"
        session.close()
        assert passed["transport"] == "OpenSSH's client: they know no algorithm in common"
        monkeypatch.setattr(ssh_resolve, "ssh_program", lambda: "")
        with pytest.raises(Unreachable, match="no common way to encrypt"):
            SshConnector(sshd.host, sshd.options).connect()


def test_what_neither_client_can_do_is_said(way: Way, tmp_path: Path, openssh: Sshd) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    with running(folder, "MACs umac-64@openssh.com", "Ciphers aes128-ctr") as sshd:
        (folder / "config").write_text("Ciphers aes256-ctr\n", encoding="ascii")
        with pytest.raises(Unreachable, match="no common way to encrypt"):
            way(sshd.host, sshd.options).connect()


def test_a_host_that_allows_no_sessions(way: Way, tmp_path: Path, openssh: Sshd) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    with running(folder, "MaxSessions 0") as sshd, pytest.raises(LoginError, match="got no shell"):
        way(sshd.host, sshd.options).connect()


def test_only_the_named_keys(way: Way, server: Server, own_home: Path) -> None:
    shutil.copy(server.folder / "id", own_home / ".ssh" / "id_ed25519")
    (server.folder / "config").write_text("IdentitiesOnly yes\n", encoding="ascii")
    with pytest.raises(LoginError, match=r"no usable key|refused ada with"):
        _connect(way, server, identities=(own_home,))


@pytest.mark.parametrize("installed", [True, False])
def test_only_the_named_keys_where_none_is_named_are_the_usual_ones(
    server: Server, own_home: Path, monkeypatch: pytest.MonkeyPatch, *, installed: bool
) -> None:
    if not installed:
        monkeypatch.setattr(ssh_resolve, "ssh_program", lambda: "")
    shutil.copy(server.folder / "id", own_home / ".ssh" / "id_ed25519")
    (server.folder / "config").write_text("IdentitiesOnly yes\n", encoding="ascii")
    _connect(SshConnector, server, identities=())


def test_an_address_that_cannot_be_reached(way: Way, server: Server) -> None:
    with pytest.raises(Unreachable, match="no connection to TCP port 22"):
        way(Host(name="255.255.255.255"), server.options).connect()


def test_a_name_that_can_be_none(way: Way, server: Server) -> None:
    with pytest.raises(Unreachable, match="could not be resolved"):
        way(Host(name="a" * 70), server.options).connect()


def test_a_resolver_that_hangs(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    freed = threading.Event()

    def hang(*_words: object, flags: int = 0) -> list[object]:
        if flags & socket.AI_NUMERICHOST:  # asks nobody
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        freed.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    options = replace(server.options, timeouts=replace(QUICK, tcp=0.3))
    with pytest.raises(Unreachable, match="could not be resolved: no answer in 0 s"):
        SshConnector(Host(name="web01"), options).connect()
    freed.set()


def test_the_defaults_are_the_users_and_the_systems_files(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_resolve, "ssh_program", lambda: "")
    options = SshOptions()
    target = find_target(Host(name="Web01"), options)
    assert (target.known_name, target.port, target.user) == ("web01", 22, getpass.getuser())
    assert target.settings.known_hosts[0] == own_home / ".ssh" / "known_hosts"
    assert options.known(()) is options.known(())

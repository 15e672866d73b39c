"""Why OpenSSH's client ended, in the words of our own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sshd import make_key

from memrunbook.core.errors import HostKeyError, LoginError, RunbookError, Unreachable, UsageError
from memrunbook.transports.shared.known_hosts import KnownHosts
from memrunbook.transports.shared.patience import TurnedAway
from memrunbook.transports.shared.ssh_algorithms import Algorithms
from memrunbook.transports.shared.ssh_ending import EndedClient
from memrunbook.transports.shared.ssh_log import SshLog
from memrunbook.transports.shared.ssh_settings import HostSettings, home
from memrunbook.transports.shared.target import Target

KEY = "SHA256:" + "k" * 43
HOP_KEY = "SHA256:" + "h" * 43
MET = f"debug1: Remote protocol version 2.0, remote software version X\ndebug1: Server host key: ssh-ed25519 {KEY}\n"
HOP_MET = f"debug1: Server host key: ssh-ed25519 {HOP_KEY}\n"
GATE = Target("gate (jump host of web)", "192.0.2.1", 22, "ada", (), HostSettings(), called="gate", jump_of="web")
AT_GATE = "the jump host gate (192.0.2.1:22): "
WEB = Target("web", "192.0.2.7", 2222, "ada", (), HostSettings())


def _error(
    log: str, beside: str = "", target: Target = WEB, known: str = "", tmp_path: Path | None = None
) -> RunbookError:
    own, other = SshLog(), SshLog()
    own.feed(log.encode())
    other.feed(beside.encode())
    file = (tmp_path or Path("/nonexistent")) / "known_hosts"
    if known:
        file.write_text(known, encoding="ascii")
    return EndedClient(target, own, other, {hop.known_name: KnownHosts([file]) for hop in target.way}).error()


CASES: dict[str, tuple[str, type[RunbookError], str, str]] = {
    "refused": (
        "ssh: connect to host 192.0.2.7 port 2222: Connection refused\n",
        Unreachable, "nothing listens at TCP port 2222", "is sshd running",
    ),
    "timeout": (
        "ssh: connect to host 192.0.2.7 port 2222: Connection timed out\n",
        Unreachable, "no connection to TCP port 2222: Connection timed out", "firewall",
    ),
    "no route": ("ssh: connect to host x port 22: No route to host\n", Unreachable, "No route to host", ""),
    "no address of ours": (
        "bind 192.0.2.9: Cannot assign requested address\nssh: connect to host 192.0.2.7 port 22: failure\n",
        Unreachable, "port 22: bind 192.0.2.9: Cannot assign", "",
    ),
    "no name": (
        "ssh: Could not resolve hostname nope: Name or service not known\n",
        Unreachable, "the name nope could not be resolved: Name or service", "HostName",
    ),
    "revoked by a file": (
        MET + f"Host key ED25519 {KEY} revoked by file /etc/krl\n",
        HostKeyError, f"the host key {KEY} is revoked by /etc/krl", "a new key",
    ),
    "no file of revoked keys": (
        MET + f"Error checking host key ED25519 {KEY} in revoked keys file /etc/krl: No such file or directory\n",
        HostKeyError, "the file of revoked keys cannot be read: /etc/krl: No such file", "RevokedHostKeys",
    ),
    "a short key": (
        MET + "Bad server host key: Invalid key length\n",
        HostKeyError, "the host key is RSA with too few bits", "a longer key",
    ),
    "a variable that is not set": (
        "invalid environment variable expansion\n", UsageError, "invalid environment variable", "ssh -G web",
    ),
    "unknown key": (
        MET + "No ED25519 host key is known for [192.0.2.7]:2222 and you have requested strict checking.\r\n",
        HostKeyError, f"the host key is not known: ssh-ed25519 {KEY}", "ssh-keyscan -t ed25519 -p 2222 192.0.2.7",
    ),
    "unverified": (MET + "Host key verification failed.\n", HostKeyError, "the host key is not known", "ssh-keyscan"),
    "revoked": (
        MET + "The ED25519 host key for 192.0.2.7 is marked as revoked.\n",
        HostKeyError, f"the host key {KEY} is marked as revoked", "new key",
    ),
    "certificate": (
        MET + "Certificate invalid: expired\n",
        HostKeyError, "a certificate that does not hold: expired", "signed anew",
    ),
    "too many keys": (
        MET + "Received disconnect from 192.0.2.7 port 2222:2: Too many authentication failures\n",
        LoginError, "during the login: Too many authentication failures", "IdentitiesOnly",
    ),
    "turned away": (
        "Received disconnect from 192.0.2.7 port 2222:11: go away\n",
        Unreachable, "ended in the key exchange: go away", "",
    ),
    "no cipher": (
        "Unable to negotiate with 192.0.2.7 port 22: no matching cipher found. Their offer: x\n",
        Unreachable, "no common way to encrypt: no matching cipher found", "",
    ),
    "no jump": (
        "channel 0: open failed: connect failed: Connection refused\n",
        Unreachable, "the jump host could not connect to 192.0.2.7 port 2222: Connection refused", "resolves names",
    ),
    "configuration": ("/c line 3: Bad port 'x'.\n", UsageError, "Bad port", "ssh -G web"),
    "no password": (MET + "ada@192.0.2.7: Permission denied (password).\n", LoginError, "with a key", "password"),
    "no server": (
        "kex_exchange_identification: No SSH identification string received.\n", Unreachable, "no SSH server", "port",
    ),
    "hung up": (
        "kex_exchange_identification: Connection closed by remote host\n",
        TurnedAway, "before its SSH banner", "fork",
    ),
    "broken": (
        "debug1: Remote protocol version 2.0, remote software version X\nConnection reset by 192.0.2.7 port 22\n",
        Unreachable, "ended in the key exchange: Connection reset", "",
    ),
    "ended": (MET + "Connection closed by 192.0.2.7 port 22\n", LoginError, "during the login: Connection closed", ""),
    "nothing": ("", Unreachable, "before it was connected: it said nothing", "ssh -v web"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "kind", "why", "hint"), CASES.values(), ids=CASES)
def test_each_complaint_has_its_words(said: str, kind: type[RunbookError], why: str, hint: str) -> None:
    error = _error(said)
    assert type(error) is kind
    assert why in error.message
    assert hint in error.hint
    assert error.where in ("web", "192.0.2.7", "[192.0.2.7]:2222")


def test_a_changed_key_names_the_known_one(tmp_path: Path) -> None:
    known = "[192.0.2.7]:2222 ssh-ed25519 AAAA\n"
    said = MET + "Host key for [192.0.2.7]:2222 has changed and you have requested strict checking.\n"
    error = _error(said, known=known, tmp_path=tmp_path)
    assert "THE HOST KEY HAS CHANGED" in error.message
    assert f"{tmp_path}/known_hosts:1" in error.message
    assert KEY in error.message


def test_a_certificate_of_a_known_authority_names_it(tmp_path: Path) -> None:
    known = "@cert-authority * ssh-ed25519 AAAA\n"
    error = _error(MET + "Certificate invalid: name is not a listed principal\n", known=known, tmp_path=tmp_path)
    assert "the host CA ssh-ed25519" in error.message
    assert "name is not a listed principal" in error.message
    assert "keyscan" not in error.hint


def test_what_a_jump_host_refused_is_told_of_it() -> None:
    via = Target(WEB.where, WEB.address, 2222, "ada", (), HostSettings(), via=GATE)
    closed = "kex_exchange_identification: Connection closed by remote host\n"
    error = _error(closed, "bob@192.0.2.1: Permission denied (publickey).\n", target=via)
    assert error.where == "web"
    assert error.message.startswith(f"{AT_GATE}there is no usable key to log in as bob")
    strict = "No ED25519 host key is known for 192.0.2.1 and you have requested strict checking.\n"
    error = _error(closed, HOP_MET + strict, target=via)
    assert error.message == f"{AT_GATE}the host key is not known: ssh-ed25519 {HOP_KEY}"
    assert error.hint.startswith("compare the fingerprint on the jump host's console, then add --accept-new-host-keys")
    assert "or run: ssh-keyscan -t ed25519 -p 22 192.0.2.1 >>" in error.hint
    error = _error(closed, strict, target=via)
    assert "that was not told" in error.message


def test_a_pinned_key_that_is_another(tmp_path: Path) -> None:
    pinned = Target("web", "192.0.2.7", 22, "ada", (), HostSettings(), pins=(HOP_KEY,))
    error = _error(MET + "Host key verification failed.\n", target=pinned)
    assert "NOT THE ONE OF THE INVENTORY" in error.message
    assert KEY in error.message
    assert HOP_KEY in error.message


def test_the_keys_that_were_tried_and_those_that_could_not_be(tmp_path: Path) -> None:
    for name in ("good", "open", "held", "junk"):
        make_key(tmp_path / name)
    make_key(tmp_path / "locked", passphrase="secret")
    (tmp_path / "open").chmod(0o644)
    usual = home() / ".ssh" / "id_xmss"
    files = tuple(tmp_path / name for name in ("good", "open", "held", "junk", "locked", "none"))
    target = Target("web", "192.0.2.7", 22, "ada", (*files, usual), HostSettings())
    offers = "".join(f"debug1: Offering public key: {tmp_path}/{name} ED25519 {KEY}\n" for name in ("good", "locked"))
    offers += f"debug1: Offering public key: {tmp_path}/held ED25519 {KEY} explicit agent\n"
    junk = f'Load key "{tmp_path}/junk": invalid format\n'
    error = _error(MET + offers + junk + "ada@192.0.2.7: Permission denied (publickey).\n", target=target)
    assert f"refused ada with 2 keys: {tmp_path}/good, {tmp_path}/held (agent); not usable: " in error.message
    for words in ("open (others may read it", "junk (no private key", "locked (encrypted)", "none (no such file)"):
        assert words in error.message
    assert "id_xmss" not in error.message
    assert error.hint == f"ssh-add {tmp_path}/locked"


@given(st.text(), st.text())
def test_any_words_end_in_an_error_of_ours(log: str, beside: str) -> None:
    assert isinstance(_error(log, beside), RunbookError)


def test_where_the_configuration_bars_keys_that_is_said() -> None:
    barred = replace(WEB, settings=HostSettings(beyond=("PubkeyAuthentication false",)))
    error = _error(MET + "ada@192.0.2.7: Permission denied (publickey).\n", target=barred)
    assert isinstance(error, LoginError)
    assert "the ssh configuration lets ada show no key: PubkeyAuthentication false" in error.message


def test_a_key_that_the_configuration_leaves_out_is_named(tmp_path: Path) -> None:
    make_key(tmp_path / "id")
    allowed = HostSettings(algorithms=Algorithms({"pubkeys": ("rsa-sha2-512",)}))
    target = replace(WEB, identities=(tmp_path / "id",), settings=allowed)
    error = _error(MET + "ada@192.0.2.7: Permission denied (publickey).\n", target=target)
    assert f"{tmp_path}/id (ssh-ed25519: PubkeyAcceptedAlgorithms" in error.message
    assert error.hint


def test_an_unknown_key_behind_a_jump_host_or_under_another_name(tmp_path: Path) -> None:
    line = "No ED25519 host key is known for {} and you have requested strict checking.\r\n"
    behind = replace(WEB, via=GATE)
    assert "--accept-new-host-keys" in (hint := _error(MET + line.format(behind.known_name), target=behind).hint)
    assert "ssh-keyscan -t" not in hint
    alias = replace(WEB, settings=HostSettings(host_key_alias="the-web"))
    hint = _error(MET + line.format("the-web"), target=alias, tmp_path=tmp_path).hint
    assert "ssh-keyscan -t ed25519 -p 2222 192.0.2.7 | sed 's/^[^ ]*/the-web/' >>" in hint


def test_the_jump_host_that_knows_no_common_algorithm_is_named() -> None:
    target = replace(WEB, via=GATE)
    error = _error("", "Unable to negotiate with 192.0.2.1 port 22: no matching cipher found.\n", target)
    assert error.message == f"{AT_GATE}no common way to encrypt: no matching cipher found."


def test_it_is_the_jump_host_that_hangs_up_until_it_has_let_us_in() -> None:
    target = replace(WEB, via=GATE)
    closed = "kex_exchange_identification: Connection closed by remote host\n"
    knocked = "debug1: Connection established.\n"
    error = _error(closed, knocked + closed, target)
    assert isinstance(error, TurnedAway)
    assert error.message == f"{AT_GATE}it closed the connection before its SSH banner"
    met = "debug1: Remote protocol version 2.0, remote software version X\n" + HOP_MET
    error = _error(closed, f"{knocked}{met}Connection closed by 192.0.2.1 port 22\n", target)
    assert error.message == f"{AT_GATE}it ended the connection during the login: Connection closed by 192.0.2.1 port 22"
    let_in = 'Authenticated to 192.0.2.1 ([192.0.2.1]:22) using "publickey".\n'
    assert _error(closed, knocked + met + let_in, target).message.startswith("the host closed the connection before")
    error = _error("", knocked + met + let_in + "channel 0: open failed: connect failed: Name not known\n", target)
    assert error.message == "the jump host gate (192.0.2.1:22) could not connect to 192.0.2.7 port 2222: Name not known"


def test_of_two_jump_hosts_the_one_that_failed_is_named() -> None:
    second = replace(GATE, where="second (jump host of web)", address="10.0.0.2", called="second", via=GATE)
    target = replace(WEB, via=second)
    closed = "kex_exchange_identification: Connection closed by remote host\n"
    let_in = 'debug1: Connection established.\nAuthenticated to 192.0.2.1 ([192.0.2.1]:22) using "publickey".\n'
    error = _error(closed, let_in + closed, target)
    assert error.message == "the jump host second (10.0.0.2:22): it closed the connection before its SSH banner"
    error = _error(closed, let_in + "channel 0: open failed: connect failed: Connection refused\n", target)
    assert error.message == (
        "the jump host second (10.0.0.2:22): "
        "the jump host gate (192.0.2.1:22) could not connect to 10.0.0.2 port 22: Connection refused"
    )


def test_a_command_whose_own_jump_host_turned_it_away_may_be_run_again() -> None:
    target = replace(WEB, settings=HostSettings(beyond=("ProxyCommand ssh -W %h:%p gate",)))
    closed = "kex_exchange_identification: Connection closed by remote host\n"
    assert isinstance(_error(closed, closed, target), TurnedAway)
    assert not isinstance(_error(closed, "nc: no route\n", target), TurnedAway)


def test_a_command_on_the_way_that_ends_is_named_with_its_last_words() -> None:
    target = replace(WEB, settings=HostSettings(beyond=("ProxyCommand nc %h %p",)))
    closed = "kex_exchange_identification: Connection closed by remote host\n"
    error = _error(closed, "nc: no route\n", target)
    assert error.message == "the way there ended before an SSH banner came (ProxyCommand nc %h %p): nc: no route"
    for last in (  # which of them is a matter of who is first: the command that ends, or the client that writes
        closed,
        "kex_exchange_identification: read: Connection reset by peer\n",
        "banner exchange: Connection to UNKNOWN port 65535: Broken pipe\n",
        "Connection closed by UNKNOWN port 65535\n",
        "",
    ):
        told = _error(last, target=target).message
        assert told == "the way there ended before an SSH banner came (ProxyCommand nc %h %p)"
    broken = "banner exchange: Connection to 192.0.2.7 port 22: Broken pipe\n"
    assert "closed the connection before its SSH banner" in _error(broken).message
    late = "banner exchange: Connection to 192.0.2.7 port 22: Connection timed out\n"
    assert _error(late).message.endswith("Connection timed out")
    assert "closed the connection before its SSH banner" in _error(closed).message

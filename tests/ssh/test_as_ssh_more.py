"""What else people write into their configuration: the same host is reached, and the same one is refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.ssh.net import Net, Way
from tests.sshd import MISSING, can_run, make_key, public, running

from memrunbook.core.errors import HostKeyError, LoginError, RunbookError, Unreachable, UsageError

pytestmark = pytest.mark.skipif(
    not (can_run() and shutil.which("ssh")), reason=f"{MISSING}, or OpenSSH's client is not"
)

WEB = "Host web\n HostName 127.0.0.1\n Port {inner}\n"
HOPS = "Host gate gate-web second\n HostName 127.0.0.1\n Port {outer}\n"
REACHED = {
    "match final": "Host web\n HostName 127.0.0.1\nMatch final host 127.0.0.1\n Port {inner}\n",
    "a negated host": "Host * !db\n HostName 127.0.0.1\n Port {inner}\n",
    "equal signs, quotes and line ends": 'HOST="web"\r\n hostname = 127.0.0.1\r\n\tPort\t"{inner}"\r\n',
    "tokens of a key file": WEB + " IdentityFile {folder}/id-%n-%h-%p\n",
    "a hash of a key file": WEB + " IdentityFile {folder}/id-%C\n",
    "a variable": WEB + " UserKnownHostsFile ${{TESTS_KEYS}}/known_hosts\n IdentityFile ${{TESTS_KEYS}}/id\n",
    "a jump with a token": WEB + " ProxyJump gate-%n\n",
    "a user of a jump with a token": WEB + " ProxyJump %r@gate\n",
    "no jump and no command": WEB + " ProxyJump none\n",
    "no command, then a jump": WEB + " ProxyCommand none\n ProxyJump gate\n",
    "a jump that is for people": WEB + " ProxyJump gate\nHost gate\n RemoteCommand echo x\n RequestTTY force\n"
    " LocalForward 127.0.0.1:1 127.0.0.1:22\n ExitOnForwardFailure yes\n LogVerbose *:*\n",
    "a jump over a command": WEB + " ProxyJump gate\nHost gate\n ProxyCommand {folder}/link %p\n",
    "algorithms that both know": WEB + " HostKeyAlgorithms ssh-ed25519\n Ciphers aes256-ctr\n MACs hmac-sha2-512\n"
    " KexAlgorithms curve25519-sha256\n PubkeyAcceptedAlgorithms ssh-ed*\n",
    "algorithms of OpenSSH alone": WEB + " Ciphers chacha20-poly1305@openssh.com\n",
    "a key exchange of OpenSSH alone": WEB + " KexAlgorithms sntrup761x25519-sha512@openssh.com\n",
    "two files of known hosts": WEB + " UserKnownHostsFile {folder}/nothing {folder}/known_hosts\n",
    "a folder among them": WEB + " UserKnownHostsFile {folder} {folder}/known_hosts\n",
    "a blank in their names": WEB + ' UserKnownHostsFile "{folder}/known hosts"\n',
    "the system's file alone": WEB + " UserKnownHostsFile none\n GlobalKnownHostsFile {folder}/known_hosts\n",
    "hashed names": WEB + " UserKnownHostsFile {folder}/hashed\n",
    "a key that is known without the port": WEB + " UserKnownHostsFile {folder}/portless\n",
    "keys of two kinds": WEB + " UserKnownHostsFile {folder}/changed {folder}/known_hosts\n",
    "a CA of other hosts": WEB + " UserKnownHostsFile {folder}/elsewhere {folder}/known_hosts\n",
    "a command that tells keys": WEB + " UserKnownHostsFile none\n KnownHostsCommand {folder}/tell %H\n",
    "for people at a terminal": WEB + " RequestTTY force\n StdinNull yes\n EscapeChar none\n VisualHostKey yes\n"
    " SetEnv A=b\n SendEnv LANG LC_*\n LogLevel QUIET\n",
    "another hash of keys": WEB + " FingerprintHash md5\n",
    "a verbose log": WEB + " LogVerbose *:*\n",
    "a small limit of bytes for a key": WEB + " RekeyLimit 16K 1\n",
    "words that are ignored": "IgnoreUnknown UseKeychain\nUseKeychain yes\n" + WEB,
    "words of old times": WEB + " Protocol 2\n RSAAuthentication yes\n ChallengeResponseAuthentication no\n",
    "other ways to log in": WEB + " PreferredAuthentications gssapi-with-mic,publickey\n PasswordAuthentication no\n",
    "an include that is not there": "Include {folder}/no-such/*.conf\n" + WEB,
}
NOT_BY_SSH = {
    "a command of theirs": " RemoteCommand echo hello\n",
    "a subsystem": " SessionType subsystem\n",
    "in the background": " ForkAfterAuthentication yes\n",
    "forwards that fail": " LocalForward 127.0.0.1:{outer} 127.0.0.1:1\n ExitOnForwardFailure yes\n",
}
"""What keeps `ssh HOST COMMAND` from its work is nothing that we do."""
REFUSED: dict[str, tuple[str, type[RunbookError], str]] = {
    "a negated host": ("Host * !web\n Port {inner}\n", Unreachable, "could not be resolved"),
    "another address family": (WEB + " AddressFamily inet6\n", Unreachable, "could not be resolved"),
    "a name that must be found": (
        "CanonicalizeHostname yes\nCanonicalDomains no.invalid\nCanonicalizeFallbackLocal no\nHost web\n Port 1\n",
        Unreachable, "the name web could not be resolved",
    ),
    "a variable that is not set": (WEB + " IdentityFile ${{TESTS_NONE}}/id\n", UsageError, "environment variable"),
    "a revoked key": (WEB + " UserKnownHostsFile {folder}/known_hosts {folder}/revoked\n", HostKeyError, "revoked"),
    "a file of revoked keys": (WEB + " RevokedHostKeys {folder}/host.pub\n", HostKeyError, "is revoked by"),
    "a file of revoked keys that is not there": (
        WEB + " RevokedHostKeys {folder}/nothing\n", HostKeyError, "revoked keys cannot be read",
    ),
    "no file of known hosts": (WEB + " UserKnownHostsFile none\n", HostKeyError, "is not known"),
    "a key that all hosts but this one have": (WEB + " UserKnownHostsFile {folder}/but\n", HostKeyError, "not known"),
    "a kind of key that it does not have": (
        WEB + " HostKeyAlgorithms rsa-sha2-512\n", Unreachable, "no common way to encrypt",
    ),
    "an exchange that it does not know": (
        WEB + " KexAlgorithms diffie-hellman-group1-sha1\n", Unreachable, "no common way to encrypt",
    ),
    "a cipher that it does not know": (WEB + " Ciphers aes256-cbc\n", Unreachable, "no common way to encrypt"),
    "a key of another kind": (
        WEB + " PubkeyAcceptedAlgorithms rsa-sha2-512\n", LoginError, "PubkeyAcceptedAlgorithms of the ssh config",
    ),
    "no keys": (WEB + " PubkeyAuthentication no\n", LoginError, "lets .* show no key: PubkeyAuthentication"),
    "passwords alone": (WEB + " PreferredAuthentications password\n", LoginError, "show no key: PreferredAuth"),
    "a jump host with no keys": (
        WEB + " ProxyJump gate\nHost gate\n PubkeyAuthentication no\n", LoginError, "show no key",
    ),
    "a jump host that does not know the cipher": (
        WEB + " ProxyJump gate\nHost gate\n Ciphers aes256-cbc\n", Unreachable, "no common way to encrypt",
    ),
    "a jump host under a CA": (
        WEB + " ProxyJump gate\nHost gate\n UserKnownHostsFile {folder}/authority\n",
        HostKeyError, "without a certificate of it",
    ),
    "a word that is not known": (WEB + " UseKeychain yes\n", UsageError, "usekeychain"),
    "includes that go round": ("Include {folder}/round\n", UsageError, "Too many recursive"),
    "a condition that is none": ("Match nonsense\n" + WEB, UsageError, "Bad Match condition"),
}  # fmt: skip


@pytest.fixture
def more(net: Net, monkeypatch: pytest.MonkeyPatch) -> Net:
    """The files that these configurations speak of."""
    folder, port = net.folder, net.inner.port
    key, other = public(folder / "host.pub"), public(net.outer.folder / "host.pub")
    known = (folder / "known_hosts").read_text(encoding="ascii")
    for name in (f"id-web-127.0.0.1-{port}",):
        (folder / name).write_bytes((folder / "id").read_bytes())
        (folder / name).chmod(0o600)
    files = {
        "known hosts": known,
        "hashed": known,
        "portless": f"127.0.0.1 {key}\n",
        "changed": f"[127.0.0.1]:{port} {other}\n",
        "elsewhere": f"@cert-authority *.example.com {other}\n",
        "authority": f"@cert-authority * {other}\n",
        "revoked": f"@revoked * {key}\n",
        "but": f"*,![127.0.0.1]:*,!127.0.0.1 {key}\n",
        "tell": f'#!/bin/sh\necho "$1 {key}"\n',
        "link": f"#!/bin/sh\nexec ssh -F {folder}/config -W 127.0.0.1:$1 second\n",
        "round": f"Include {folder}/round\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="ascii")
    for name in ("tell", "link"):
        (folder / name).chmod(0o755)
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(folder / "hashed")], check=True, capture_output=True)
    monkeypatch.setenv("TESTS_KEYS", str(folder))
    return net


@pytest.mark.parametrize("text", REACHED.values(), ids=REACHED)
def test_it_is_reached(more: Net, way: Way, text: str) -> None:
    more.configure(text + HOPS)
    assert more.ssh("web")
    assert more.reach("web", way)["key"] == more.inner.fingerprint()


@pytest.mark.parametrize("text", NOT_BY_SSH.values(), ids=NOT_BY_SSH)
def test_what_is_meant_for_people_keeps_nobody_away(more: Net, way: Way, text: str) -> None:
    more.configure(WEB + text)
    assert more.reach("web", way)["key"] == more.inner.fingerprint()


@pytest.mark.parametrize(("text", "error", "why"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(more: Net, way: Way, text: str, error: type[RunbookError], why: str) -> None:
    more.configure(text + HOPS)
    assert not more.ssh("web")
    with pytest.raises(error, match=why) as refused:
        more.reach("web", way)
    assert refused.value.where
    assert refused.value.hint


def test_host_keys_are_checked_whatever_is_configured(more: Net, way: Way) -> None:
    for line in ("NoHostAuthenticationForLocalhost yes", "StrictHostKeyChecking no", "StrictHostKeyChecking off"):
        more.configure(f"{WEB} UserKnownHostsFile {{folder}}/elsewhere\n {line}\n")
        with pytest.raises(HostKeyError, match="is not known"):
            more.reach("web", way)


@pytest.mark.parametrize("least", [1024, 4096])
def test_rsa_keys_that_are_too_short(more: Net, way: Way, tmp_path: Path, least: int) -> None:
    for name in ("host-rsa", "rsa"):
        make = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(make, check=True)
    (tmp_path / "server").mkdir()
    make_key(tmp_path / "ed")
    lines = (f"HostKey {tmp_path}/host-rsa", "HostKeyAlgorithms rsa-sha2-512")
    with running(tmp_path / "server", *lines) as sshd:
        keys = (tmp_path / "rsa.pub").read_bytes() + (tmp_path / "ed.pub").read_bytes()
        (sshd.folder / "authorized").write_bytes(keys)
        (sshd.folder / "known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {public(tmp_path / 'host-rsa.pub')}\n")
        text = f"Host web\n HostName 127.0.0.1\n Port {sshd.port}\n UserKnownHostsFile {sshd.folder}/known_hosts\n"
        more.configure(f"{text} IdentityFile {tmp_path}/rsa\n RequiredRSASize {least}\n")
        more.config.write_text(more.config.read_text().replace(f"IdentityFile {more.folder}/id\n", ""))
        assert more.ssh("web") is (least == 1024)
        if least == 1024:
            assert more.reach("web", way)["login"].endswith(f"by {tmp_path}/rsa")
        else:
            with pytest.raises(HostKeyError, match="RequiredRSASize"):
                more.reach("web", way)

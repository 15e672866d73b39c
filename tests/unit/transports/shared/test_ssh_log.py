"""What OpenSSH's client says, as several versions of it say it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memrunbook.transports.shared.ssh_log import MOST_LINES, SshLog, wants_touch

KEY = "SHA256:" + "k" * 43
NEW = f"""\
debug1: Connecting to db7.example.com [192.0.2.7] port 2222.\r
debug1: Connection established.\r
debug1: kex_exchange_identification: banner line 0: Authorised use only\r
debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1 Debian-2\r
debug1: Server host key: ssh-ed25519 {KEY}\r
debug1: Next authentication method: publickey\r
debug1: Offering public key: /home/ada/.ssh/work ED25519 {KEY} explicit agent\r
debug1: Offering public key: /home/ada/.ssh/id RSA {KEY} explicit\r
Authenticated to db7.example.com ([192.0.2.7]:2222) using "publickey".\r
debug1: Entering interactive session.\r
"""
OLD = f"""\
debug1: Connecting to db7 [192.0.2.7] port 22.
debug1: Connection established.
debug1: Remote protocol version 2.0, remote software version OpenSSH_7.4
debug1: Server host certificate: ecdsa-sha2-nistp256-cert-v01@openssh.com {KEY}, serial 7 ID "db7" CA ssh-rsa {KEY}
debug1: Offering RSA public key: /home/ada/.ssh/id_rsa
debug1: Authentication succeeded (publickey).
debug1: Entering interactive session.
"""


def _log(text: str) -> SshLog:
    log = SshLog()
    log.feed(text.encode())
    return log


def test_how_far_it_has_come() -> None:
    log = _log(NEW)
    assert (log.address, log.established, log.ready, log.entered) == ("192.0.2.7", True, True, True)
    assert log.version == "OpenSSH_9.2p1 Debian-2"
    assert log.greeting == "Authorised use only"
    assert log.key == ("ssh-ed25519", KEY)
    assert log.method == "publickey"
    assert log.offered == ["/home/ada/.ssh/work (agent)", "/home/ada/.ssh/id"]


def test_an_older_client_says_it_in_other_words() -> None:
    log = _log(OLD)
    assert log.key == ("ecdsa-sha2-nistp256-cert-v01@openssh.com", KEY)
    assert log.offered == ["/home/ada/.ssh/id_rsa"]
    assert (log.entered, log.ready) == (True, True)


def test_the_first_key_and_version_count_whatever_is_said_later() -> None:
    other = NEW.replace(KEY, "SHA256:" + "x" * 43).replace("OpenSSH_9.2p1", "Other")
    log = _log(NEW + other)
    assert log.key == ("ssh-ed25519", KEY)
    assert log.version == "OpenSSH_9.2p1 Debian-2"


def test_it_may_come_in_pieces() -> None:
    log = SshLog()
    for letter in NEW.encode():
        log.feed(bytes((letter,)))
    assert log == _log(NEW)


def test_complaints_are_what_is_no_word_of_the_protocol() -> None:
    log = _log(NEW + "ada@db7: Permission denied (publickey).\n\n")
    assert log.said == [
        'Authenticated to db7.example.com ([192.0.2.7]:2222) using "publickey".',
        "ada@db7: Permission denied (publickey).",
    ]
    assert not wants_touch(log.lines)
    assert wants_touch(_log("Confirm user presence for key ED25519-SK SHA256:x\n").lines)


def test_a_flood_is_bounded() -> None:
    assert len(_log("debug1: x\n" * 10 * MOST_LINES).lines) == MOST_LINES


@given(st.binary())
def test_any_bytes_are_survived(data: bytes) -> None:
    log = SshLog()
    log.feed(data)
    assert not log.ready or b"Entering interactive session" in data

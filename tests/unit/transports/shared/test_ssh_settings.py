"""What `ssh -G` prints."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.transports.shared.ssh_settings import (
    HostSettings,
    Jump,
    home,
    parse_jumps,
    read_printed,
    settings_of,
)

PRINTED = """\
host web
user ada
hostname web.example.com
port 2222
addressfamily inet6
identitiesonly yes
gssapiauthentication yes
hostbasedauthentication true
bindaddress 192.0.2.1
identityagent ~/agents/%r
identityfile ~/.ssh/%n-%r@%h
identityfile /keys/second
identityfile none
certificatefile ~/cert.pub
controlpath /run/cm-1
hostkeyalias the-web
pubkeyauthentication true
verifyhostkeydns false
proxyjump gate,bob@[::1]:2200
userknownhostsfile /home/ada/.ssh/known hosts /home/ada/.ssh/known_hosts2
globalknownhostsfile /etc/ssh/ssh_known_hosts
"""


def _settings(printed: str) -> HostSettings:
    return settings_of(read_printed(printed), "web", "me")


def test_each_keyword_has_its_field() -> None:
    assert _settings(PRINTED) == HostSettings(
        host_name="web.example.com",
        user="ada",
        port=2222,
        identity_files=(home() / ".ssh" / "web-ada@web.example.com", Path("/keys/second")),
        identities_only=True,
        certificates=(home() / "cert.pub",),
        agent=str(home() / "agents" / "ada"),
        known_hosts=(
            Path("/home/ada/.ssh/known hosts"),
            Path("/home/ada/.ssh/known_hosts2"),
            Path("/etc/ssh/ssh_known_hosts"),
        ),
        host_key_alias="the-web",
        jumps=(Jump("gate"), Jump("::1", "bob", 2200)),
        bind_address="192.0.2.1",
        family="inet6",
        gssapi=True,
        hostbased=True,
        control_path="/run/cm-1",
    )


def test_nothing_printed_says_nothing() -> None:
    assert _settings("") == HostSettings(host_name="web")


@pytest.mark.parametrize(
    ("line", "beyond"),
    [
        ("proxycommand nc %h %p", "ProxyCommand nc %h %p"),
        ("proxycommand none", ""),
        ("knownhostscommand /bin/x", "KnownHostsCommand /bin/x"),
        ("pkcs11provider none", ""),
        ("pkcs11provider /x.so", "PKCS11Provider /x.so"),
        ("revokedhostkeys /etc/revoked", "RevokedHostKeys /etc/revoked"),
        ("bindinterface lo", "BindInterface lo"),
        ("verifyhostkeydns true", "VerifyHostKeyDNS true"),
        ("verifyhostkeydns ask", ""),
        ("pubkeyauthentication false", "PubkeyAuthentication false"),
        ("preferredauthentications gssapi-with-mic,publickey", ""),
        ("preferredauthentications gssapi-with-mic", "PreferredAuthentications gssapi-with-mic"),
        ("identityfile ~/%C", "~/%C"),
        ("identityfile ~/${NO_SUCH_VARIABLE_HERE}", "~/${NO_SUCH_VARIABLE_HERE}"),
    ],
)
def test_what_is_left_to_openssh(line: str, beyond: str) -> None:
    assert "".join(_settings(line).beyond) == beyond


@pytest.mark.parametrize(
    ("line", "jumps"),
    [
        ("proxyjump gate-%n", (Jump("gate-web"),)),
        ("proxyjump %r@gate.%h:2222", (Jump("gate.web", "me", 2222),)),
        ("proxyjump [fe80::1%eth0]", (Jump("fe80::1%eth0"),)),
    ],
)
def test_tokens_of_a_jump_host(line: str, jumps: tuple[Jump, ...]) -> None:
    assert _settings(line).jumps == jumps


def test_what_would_keep_us_from_following_it_is_overruled() -> None:
    settings = _settings("forkafterauthentication yes\nlogverbose *:*")
    assert settings.overruled == ("ForkAfterAuthentication=no", "LogVerbose=none")
    assert _settings("forkafterauthentication no\nlogverbose none").overruled == ()


AGENTS = {"none": "none", "SSH_AUTH_SOCK": "", "$MINE": "/a/b", "${MINE}": "/a/b", "$NONE_SUCH": "none"}


@pytest.mark.parametrize(("value", "agent"), AGENTS.items())
def test_which_agent(monkeypatch: pytest.MonkeyPatch, value: str, agent: str) -> None:
    monkeypatch.setenv("MINE", "/a/b")
    assert _settings(f"identityagent {value}").agent == agent


def test_relative_files_are_told_apart_by_blanks() -> None:
    settings = _settings("userknownhostsfile one two\nglobalknownhostsfile none")
    assert settings.known_hosts == (Path("one"), Path("two"))


def test_the_home_is_that_of_the_user_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == Path(pwd.getpwuid(os.getuid()).pw_dir)

    def nobody(_uid: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert home() == tmp_path


@pytest.mark.parametrize(
    ("jump", "written"),
    [
        (Jump("gate"), "gate"),
        (Jump("gate", "ada", 23), "ada@gate:23"),
        (Jump("::1", port=22), "[::1]:22"),
    ],
)
def test_a_jump_as_it_is_written(jump: Jump, written: str) -> None:
    assert parse_jumps(written) == (jump,)
    assert parse_jumps(f"ssh://{written}") == (jump,)


@given(st.text())
def test_whatever_is_printed_is_read_or_refused(printed: str) -> None:
    try:
        assert isinstance(_settings(printed), HostSettings)
    except ValueError:
        assert "proxyjump" in printed.lower() or "port" in printed.lower()

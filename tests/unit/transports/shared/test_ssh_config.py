"""The OpenSSH client configuration."""

from __future__ import annotations

from contextlib import suppress
from getpass import getuser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.errors import UsageError
from memrunbook.transports.shared.ssh_config import SshConfig, _settings
from memrunbook.transports.shared.ssh_settings import HostSettings, Jump, home


def _config(tmp_path: Path, text: str) -> SshConfig:
    path = tmp_path / "config"
    path.write_text(text, encoding="utf-8")
    return SshConfig.read(path)


def test_a_missing_file_leaves_the_usual_files(tmp_path: Path) -> None:
    settings = SshConfig.read(tmp_path / "none").lookup("h")
    assert (settings.host_name, settings.user, settings.port, settings.jumps) == ("h", "", 0, ())
    assert home() / ".ssh" / "id_ed25519" in settings.identity_files
    assert settings.known_hosts[0] == home() / ".ssh" / "known_hosts"
    assert settings.known_hosts[-2] == Path("/etc/ssh/ssh_known_hosts")


def test_the_first_value_wins_and_key_files_add_up(tmp_path: Path) -> None:
    config = _config(
        tmp_path,
        """
# comment
IdentityFile ~/first
Host web01
    HostName = web01.example.com   # where it's at
    User ada
    IdentityFile "/keys/with blank"
    IdentityFile none
    CertificateFile /keys/cert.pub
    UserKnownHostsFile /a /b
    GlobalKnownHostsFile /c
    IdentitiesOnly yes
    HostKeyAlias the-web
    BindAddress 192.0.2.1
    AddressFamily inet
    IdentityAgent none
Host web* !web02
    User other
    Port 2222
    ProxyJump ssh://ada@gate:23,[::1]:24,::2,far
""",
    )
    assert config.lookup("web01") == HostSettings(
        host_name="web01.example.com",
        user="ada",
        port=2222,
        identity_files=(home() / "first", Path("/keys/with blank")),
        certificates=(Path("/keys/cert.pub"),),
        known_hosts=(Path("/a"), Path("/b"), Path("/c")),
        jumps=(Jump("gate", "ada", 23), Jump("::1", port=24), Jump("::2"), Jump("far")),
        identities_only=True,
        host_key_alias="the-web",
        bind_address="192.0.2.1",
        family="inet",
        agent="none",
    )
    assert config.lookup("web02").port == 0
    assert config.lookup("db01").identity_files == (home() / "first",)


def test_what_was_typed_outweighs_the_file(tmp_path: Path) -> None:
    settings = _config(tmp_path, "User ada\nPort 23\nIdentityFile /k/%r-%p\n").lookup("h", "bob", 24)
    assert (settings.user, settings.port, settings.identity_files) == ("bob", 24, (Path("/k/bob-24"),))


def test_tokens_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM", "red")
    config = _config(
        tmp_path,
        "HostName %h.example.com\nPort 23\nUser ada\nIdentityFile %d/%r@%h:%p-%n-%u-%%-${TEAM}\n"
        "UserKnownHostsFile none\n",
    )
    settings = config.lookup("web01")
    assert settings.host_name == "web01.example.com"
    assert settings.identity_files == (home() / f"ada@web01.example.com:23-web01-{getuser()}-%-red",)
    assert Path("none") not in settings.known_hosts


def test_no_jump(tmp_path: Path) -> None:
    assert _config(tmp_path, "ProxyJump none\n").lookup("h").jumps == ()
    assert _config(tmp_path, "ProxyCommand none\nProxyJump gate\n").lookup("h").jumps == (), "the first prevents it"
    assert _config(tmp_path, "ProxyJump gate\nProxyCommand none\n").lookup("h").jumps == (Jump("gate"),)
    with pytest.raises(UsageError, match=r"is no \[user@\]host\[:port\]"):
        _config(tmp_path, "ProxyJump a:b:c]\n").lookup("h")


def test_a_port_that_is_no_number_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'twentytwo' is no number") as refused:
        _config(tmp_path, "Host h\n Port twentytwo\n")
    assert refused.value.where == f"{tmp_path}/config:2"


def test_harmless_keywords_are_passed_over(tmp_path: Path) -> None:
    text = "ServerAliveInterval 5\nCompression yes\nForwardAgent yes\nLogLevel ERROR\nControlMaster auto\n"
    text += "StrictHostKeyChecking no\nPKCS11Provider none\nProxyCommand none\nCanonicalizeHostname no\n"
    text += "LocalCommand echo \"it's\n"
    assert _config(tmp_path, text).lookup("h") == SshConfig().lookup("h")


def test_lists_of_algorithms_hold_and_what_is_added_to_them_asks_for_nothing(tmp_path: Path) -> None:
    text = "Ciphers aes256-ctr\nMACs +hmac-md5\nHostKeyAlgorithms ^ssh-rsa\nPubkeyAcceptedAlgorithms ssh-ed*\n"
    allowed = _config(tmp_path, text).lookup("h").algorithms
    assert dict(allowed.listed) == {"ciphers": ("aes256-ctr",), "pubkeys": ("ssh-ed*",)}


@pytest.mark.parametrize("line", ["PubkeyAuthentication no", "PreferredAuthentications password"])
def test_where_keys_are_barred_openssh_s_client_is_needed(tmp_path: Path, line: str) -> None:
    assert _config(tmp_path, line).lookup("h").beyond == (line,)


@pytest.mark.parametrize(
    "keyword",
    [
        "ProxyCommand nc %h",
        "Include other",
        "CanonicalizeHostname yes",
        "PKCS11Provider /x.so",
        "RevokedHostKeys /x",
        "Ciphers -aes128-ctr",
        "Riddle 1",
    ],
)
def test_what_would_lead_elsewhere_is_refused_with_its_line(tmp_path: Path, keyword: str) -> None:
    config = _config(tmp_path, f"Host web*\n\n  {keyword}\n")
    with pytest.raises(UsageError, match="applies to web01 and cannot be honoured without OpenSSH's client") as refused:
        config.lookup("web01")
    assert refused.value.where == f"{tmp_path}/config:3"
    assert config.lookup("db01").host_name == "db01"


def test_a_match_block_is_refused_only_where_it_says_something(tmp_path: Path) -> None:
    assert _config(tmp_path, "Match exec true\n LogLevel ERROR\n").lookup("h").host_name == "h"
    with pytest.raises(UsageError, match="Match block") as refused:
        _config(tmp_path, "Match exec true\n User bob\nHost h\n User ada\n").lookup("h")
    assert refused.value.where.endswith(":2")


@pytest.mark.parametrize("line", ["User", 'User "ada', "= x"])
def test_a_line_that_is_not_understood_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match="not understood") as refused:
        _config(tmp_path, f"Port 22\n{line}\n")
    assert refused.value.where == f"{tmp_path}/config:2"


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        SshConfig.read(tmp_path)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert isinstance(SshConfig(_settings(text, "x")).lookup("h"), HostSettings)


def test_lines_that_were_given_count_before_the_file(tmp_path: Path) -> None:
    config = _config(tmp_path, "User ada\nPort 22\nIdentityFile /file\n")
    found = config.lookup("h", lines=("User ops", "Port 2222", "IdentityFile /own"))
    assert (found.user, found.port) == ("ops", 2222)
    assert [str(path) for path in found.identity_files] == ["/own", "/file"]
    with pytest.raises(UsageError, match="arguments for h, line:1"):
        config.lookup("h", lines=("ProxyCommand nc",))

"""The OpenSSH client configuration."""

from __future__ import annotations

from contextlib import suppress
from getpass import getuser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.errors import UsageError
from memrunbook.transports.shared.ssh_config import HostSettings, SshConfig, _settings


def _config(tmp_path: Path, text: str) -> SshConfig:
    path = tmp_path / "config"
    path.write_text(text, encoding="utf-8")
    return SshConfig.read(path)


def test_a_missing_file_says_nothing(tmp_path: Path) -> None:
    assert SshConfig.read(tmp_path / "none").lookup("h") == HostSettings()


def test_the_first_value_wins_and_identities_add_up(tmp_path: Path) -> None:
    config = _config(
        tmp_path,
        """
# comment
IdentityFile ~/first
Host web01
    HostName = web01.example.com   # where it is
    User ada
    IdentityFile "/keys/with blank"
    IdentityFile none
    UserKnownHostsFile /a /b
    IdentitiesOnly yes
Host web* !web02
    User other
    Port 2222
    ProxyJump gate
""",
    )
    assert config.lookup("web01") == HostSettings(
        host_name="web01.example.com",
        user="ada",
        port=2222,
        identity_files=(f"{Path.home()}/first", "/keys/with blank"),
        known_hosts=("/a", "/b"),
        proxy_jump="gate",
        identities_only=True,
    )
    assert config.lookup("web02").port == 0
    assert config.lookup("db01").identity_files == (f"{Path.home()}/first",)


def test_tokens_are_expanded(tmp_path: Path) -> None:
    config = _config(
        tmp_path,
        "HostName %h.example.com\nPort 23\nUser ada\nIdentityFile %d/%r@%h:%p-%n-%u-%%-%z\nUserKnownHostsFile none\n",
    )
    settings = config.lookup("web01")
    assert settings.host_name == "web01.example.com"
    name = f"{Path.home()}/ada@web01.example.com:23-web01-{getuser()}-%-%z"
    assert settings.identity_files == (name,)
    assert settings.known_hosts == ()


def test_no_jump_and_no_number(tmp_path: Path) -> None:
    settings = _config(tmp_path, "ProxyJump none\nPort ssh\n").lookup("h")
    assert (settings.proxy_jump, settings.port) == ("", 0)


def test_harmless_keywords_are_passed_over(tmp_path: Path) -> None:
    text = "ServerAliveInterval 5\nCompression yes\nForwardAgent yes\nLogLevel ERROR\nControlMaster auto\n"
    assert _config(tmp_path, text + "StrictHostKeyChecking no\n").lookup("h") == HostSettings()


@pytest.mark.parametrize(
    "keyword", ["ProxyCommand nc %h", "Include other", "HostKeyAlias x", "CanonicalizeHostname yes", "Riddle 1"]
)
def test_what_would_lead_elsewhere_is_refused_with_its_line(tmp_path: Path, keyword: str) -> None:
    config = _config(tmp_path, f"Host web*\n\n  {keyword}\n")
    with pytest.raises(UsageError, match="applies to web01 and is not supported") as refused:
        config.lookup("web01")
    assert refused.value.where == f"{tmp_path}/config:3"
    assert config.lookup("db01") == HostSettings()


def test_a_match_block_is_refused_only_where_it_says_something(tmp_path: Path) -> None:
    assert _config(tmp_path, "Match exec true\n LogLevel ERROR\n").lookup("h") == HostSettings()
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


def test_words_of_a_command_line_count_before_the_file(tmp_path: Path) -> None:
    config = _config(tmp_path, "User ada\nPort 22\nIdentityFile /file\n")
    words = ("-o", "User=ops", "-oPort=2222", "-J", "gate", "-i", "/own", "-C", "-4", "-o", "ControlMaster=auto")
    found = config.lookup("h", words)
    assert (found.user, found.port, found.proxy_jump, found.identity_files) == ("ops", 2222, "gate", ("/own", "/file"))
    assert config.lookup("h", ("-l", "bob", "-p", "1")).user == "bob"
    assert config.lookup("h").user == "ada"


def test_known_hosts_that_keep_nothing_are_passed_over(tmp_path: Path) -> None:
    words = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
    assert _config(tmp_path, "").lookup("h", words).known_hosts == ()
    assert _config(tmp_path, "").lookup("h", ("-o", "UserKnownHostsFile=/k")).known_hosts == ("/k",)


@pytest.mark.parametrize("words", [("-F", "x"), ("-W", "h:22"), ("word",), ("-o", "ProxyCommand=nc"), ("-o", "Port")])
def test_words_that_would_lead_elsewhere_are_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as refused:
        _config(tmp_path, "").lookup("h", words)
    assert refused.value.where == "ssh arguments of h" or "ssh arguments of h" in str(refused.value)

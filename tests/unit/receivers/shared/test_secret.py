"""Secrets come from files and variables, and are hidden from then on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memrunbook.receivers.shared.receiver import NotTaken
from memrunbook.receivers.shared.secret import secret
from memrunbook.runtime.redaction import redact
from memrunbook.runtime.secrets_told import told


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    told.forget()


def test_it_is_hidden_once_it_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_text("zirconium-42\n")
    path.chmod(0o640)
    monkeypatch.setenv("HOOK", " beryllium-17 ")
    assert (secret(str(path), ""), secret("", "HOOK"), secret("", "")) == ("zirconium-42", "beryllium-17", "")
    assert "zirconium" not in redact("it says zirconium-42")
    assert "beryllium" not in redact("it says beryllium-17")


def test_what_lies_open_is_empty_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("zirconium-42")
    path.chmod(0o644)
    with pytest.raises(NotTaken, match="everybody may read"):
        secret(str(path), "")
    path.chmod(0o600)
    path.write_text("\n")
    with pytest.raises(NotTaken, match="there is no secret in"):
        secret(str(path), "")
    with pytest.raises(NotTaken, match="No such file") as missing:
        secret(str(tmp_path / "none"), "")
    assert missing.value.hint == f"install -m 600 /dev/null {tmp_path / 'none'}, then write it there"
    with pytest.raises(NotTaken, match=r"\$NOSUCH"):
        secret("", "NOSUCH")


def test_what_is_a_token_in_a_url_is_hidden_alone_too_and_names_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "slack://bot:pa55@hooks.example.org/T1JJ3T3L2A1BRTD4JTYTIKFTMF/memrunbook-alerts-1?key=0123456789abcdef0123"
    monkeypatch.setenv("CHAT", url)
    secret("", "CHAT")
    said = redact("T1JJ3T3L2A1BRTD4JTYTIKFTMF pa55 0123456789abcdef0123 hooks.example.org memrunbook-alerts-1")
    assert said.split()[3:] == ["hooks.example.org", "memrunbook-alerts-1"]
    assert not {"T1JJ3T3L2A1BRTD4JTYTIKFTMF", "pa55", "0123456789abcdef0123"}.intersection(said.split())


def test_the_path_and_the_query_of_a_secret_url_are_hidden_without_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "https://chat.example.org/services/hunter-two/x?channel=hunter-three")
    secret("", "HOOK")
    said = redact(
        "moved to https://other.example.org/services/hunter-two/x and channel=hunter-three at chat.example.org"
    )
    assert "hunter" not in said
    assert said.endswith("chat.example.org")


def test_what_is_said_of_a_file_that_is_called_secret_is_not_hidden(tmp_path: Path) -> None:
    path = tmp_path / "hook.secret"
    for mode in (None, 0o644, 0o600):
        if mode is not None:
            path.touch()
            path.chmod(mode)
        with pytest.raises(NotTaken) as error:
            secret(str(path), "")
        assert redact(f"{error.value}; {error.value.hint}") == f"{error.value}; {error.value.hint}"

"""Who runs this: what the kernel says goes before what the environment says."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from memrunbook.app.actor import this_actor
from memrunbook.app.saving import author
from memrunbook.transports.shared import this_user
from memrunbook.ui.who import actor_words

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the kernel says who logged in."""
    path = tmp_path / "loginuid"
    monkeypatch.setattr(this_user, "LOGIN", path)
    monkeypatch.delenv("SUDO_USER", raising=False)
    return path


@pytest.mark.parametrize(
    ("said", "user"),
    [("4294967295", ""), ("", ""), ("0", "root"), ("999999", "uid 999999"), ("nonsense", "")],
)
def test_who_logged_in(login: Path, said: str, user: str) -> None:
    login.write_text(said)
    assert this_user.login_user() == user


def test_without_that_file_nobody_is_known(login: Path) -> None:
    assert not login.exists()
    assert this_user.login_user() == ""
    assert author(this_actor()) == ME


def test_sudos_word_is_believed_of_root_alone(login: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    login.write_text("4294967295")
    monkeypatch.setenv("SUDO_USER", "somebody-else")
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert this_actor().sudo_user == ""
    assert author(this_actor()) != "somebody-else"
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert (this_actor().sudo_user, author(this_actor())) == ("somebody-else", "somebody-else")


def test_the_login_goes_before_sudo_and_both_are_kept(login: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    login.write_text(str(pwd.getpwnam("nobody").pw_uid))
    monkeypatch.setenv("SUDO_USER", "somebody-else")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    actor = this_actor()
    assert (actor.login_user, actor.sudo_user, author(actor)) == ("nobody", "somebody-else", "nobody")
    assert "by sudo of somebody-else, logged in as nobody, on " in actor_words(actor)

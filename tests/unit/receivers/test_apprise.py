"""The library apprise, by its json:// way, to a server of our own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.receiving import receiving, say

from memrunbook.receivers.apprise import Apprise, for_chats
from memrunbook.receivers.shared.receiver import Message, NotTaken

MESSAGE = Message("id-1", "web1: failed", "first <b>\n*second*", b"{}")


def urls(folder: Path, text: str) -> Apprise:
    path = folder / "urls"
    path.write_text(text)
    path.chmod(0o600)
    return Apprise(name="chat", urls_file=str(path))


def test_it_is_told_as_plain_text(tmp_path: Path) -> None:
    pytest.importorskip("apprise")
    with receiving() as server:
        urls(tmp_path, f"# the team\njson://127.0.0.1:{server.port}/team\n").send(MESSAGE, 5.0)
    [posted] = server.posted
    said = json.loads(posted.body)
    assert (said["title"], said["message"]) == ("web1: failed", "first ‹b›\n*second*")  # noqa: RUF001


def test_who_does_not_take_it_is_an_error_that_holds_no_password(tmp_path: Path) -> None:
    pytest.importorskip("apprise")
    with receiving(say(500)) as server, pytest.raises(NotTaken) as error:
        urls(tmp_path, f"json://ops:very-secret@127.0.0.1:{server.port}/\n").send(MESSAGE, 5.0)
    assert "very-secret" not in str(error.value)
    assert "apprise says: " in str(error.value)


def test_urls_that_are_none(tmp_path: Path) -> None:
    pytest.importorskip("apprise")
    with pytest.raises(NotTaken, match="does not understand"):
        urls(tmp_path, "nosuch://x\n").send(MESSAGE, 5.0)
    with pytest.raises(NotTaken, match="no URL"):
        urls(tmp_path, "# none\n").send(MESSAGE, 5.0)


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(NotTaken) as error:
        urls(tmp_path, "json://127.0.0.1:1/\n").send(MESSAGE, 5.0)
    assert error.value.hint == "pip install 'memrunbook[notify]'"


def test_nobody_is_woken_by_what_a_host_said() -> None:
    assert for_chats("<!channel> @everyone [x](http://y) me@example") == (
        "‹!channel› @ everyone [x] (http://y) me@example"  # noqa: RUF001
    )


def test_options() -> None:
    assert "one of urls_file" in Apprise(name="x").problem()
    assert "one of urls_file" in Apprise(name="x", urls_file="a", urls_variable="b").problem()

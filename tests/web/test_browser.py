"""The pages in a real browser: signed in by the keyboard alone, on a phone's width, a run that is followed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_old_journals import _records
from tests.cli.test_serve import serving
from tests.sshd import free_port
from tests.web.test_pages import PLACES, a_run

from memrunbook.core.instant import Instant
from memrunbook.state.run_directory import RunDirectory

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed here (Debian: chromium)"),
]


@pytest.fixture
def tab() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def test_by_the_keyboard_alone_on_a_phone_with_a_run_that_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tab: Any
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    state, port = tmp_path / "state", free_port()
    words = ("--state-dir", str(state), "--bind", f"127.0.0.1:{port}")
    state.mkdir(mode=0o700)
    a_run(state)
    told: list[str] = []
    tab.on("console", lambda message: told.append(message.text))
    tab.on("dialog", lambda dialog: told.append(dialog.message))
    with serving(tmp_path, *words) as server:
        base = f"http://localhost:{port}"
        tab.goto(server.links()[0])
        for _ in range(2):
            tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent") == "Sign in"
        tab.keyboard.press("Enter")
        tab.wait_for_url(f"{base}/")
        for width in (1280, 390):
            tab.set_viewport_size({"width": width, "height": 844})
            for place in PLACES:
                assert tab.goto(f"{base}{place}").status == 200
                assert not tab.evaluate(WIDER), (width, place)
        _followed(state, base, tab)
        assert told == []
        server.end(15)
    with serving(tmp_path, *words) as again:
        again.links()
        tab.goto(f"{base}/runs")
        assert tab.inner_text("h1") == "Sign in", "sessions end with the server"


def _followed(state: Path, base: str, tab: Any) -> None:
    """A run that goes on while somebody looks: what a hostile host is called is text."""
    run = "20261129T101112Z-abcd"
    hostile = "<img src=x onerror=alert(1)>"
    with RunDirectory.create(state, run, lambda: Instant(1795340467.0, 0.0)) as directory:
        for record in _records("run.jsonl"):
            if record.get("event") == "invoked":
                directory.run.append(record)
        tab.goto(f"{base}/runs/{run}")
        assert "Under way" in tab.inner_text("main")
        assert hostile not in tab.inner_text("main")
        journal = directory.host(hostile)
        for record in _records("db7.jsonl"):
            journal.append(record)
        tab.get_by_text(hostile).first.wait_for()
        assert tab.query_selector("main img") is None
        directory.end()
    tab.get_by_text("Over.").first.wait_for()

"""A passkey in a real browser: invited, registered, signed out, signed in again by the keyboard alone on a phone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.console import here
from tests.cli.test_serve import serving
from tests.sshd import free_port
from tests.web.team import WIDER, tab_to
from tests.web.test_browser import FLAGS

from memrunbook.state.known_passkeys import known_passkeys
from memrunbook.state.paths import prepare
from memrunbook.state.sign_ins import read_sign_ins

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed here (Debian: chromium)"),
]

KNOWN = "pubKeyCredParams is missing at least one of the default"
"""Said by Chromium of whoever takes no RSA: a passkey that signs plans is ES256."""


class Phone:
    """A tab of a phone's width with an authenticator that knows whose finger it is, or does not."""

    def __init__(self, browser: Any) -> None:
        self.tab = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        self.tab.set_default_timeout(60_000)
        self.told: list[str] = []
        self.tab.on("console", lambda message: self.told.append(message.text))
        self.session = self.tab.context.new_cdp_session(self.tab)
        self.session.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                   "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
        self.authenticator = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def knows(self, *, whose: bool) -> None:
        """Whether it takes the finger from now on."""
        self.session.send("WebAuthn.setUserVerified", {**self.authenticator, "isUserVerified": whose})

    def press(self, words: str) -> None:
        """Goes there by the keyboard and presses it."""
        tab_to(self.tab, words)
        self.tab.keyboard.press("Enter")

    def fits(self) -> bool:
        """True where nothing is wider than the screen."""
        return not self.tab.evaluate(WIDER)


@contextmanager
def pages(folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A server where ada is an approver: its address, and the words that say where its files are."""
    state, config, port = folder / "state", folder / "config", free_port()
    config.mkdir()
    prepare(state)
    (config / "config.yaml").write_text("serve: {roles: {approver: [ada@example.com]}}\n")
    words = ("--state-dir", str(state), "--config-dir", str(config))
    with serving(folder, *words, "--bind", f"127.0.0.1:{port}") as server:
        server.links()
        yield f"http://localhost:{port}", words


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield Phone(browser)
        browser.close()


def invitation(base: str, words: tuple[str, ...]) -> str:
    ran = here("passkey", "invite", "ada@example.com", "--url", base, *words)
    assert ran.code == 0, ran.said
    return str(re.findall(r"http\S+", ran.out)[0])


def test_who_is_invited_registers_and_signs_in_by_the_keyboard_alone(tmp_path: Path, phone: Phone) -> None:
    with pages(tmp_path) as (base, words):
        tab, state = phone.tab, tmp_path / "state"
        tab.goto(invitation(base, words))
        assert "ada@example.com" in tab.inner_text("main")
        assert phone.fits()
        phone.press("Register a passkey")
        tab.get_by_text("The passkey is registered").wait_for()
        [kept] = known_passkeys(state)
        assert kept.allowed in tab.inner_text("pre")
        assert phone.fits()
        tab.goto(f"{base}/sign-in")
        assert phone.fits()
        phone.press("Sign in with a passkey")
        tab.wait_for_url(f"{base}/")
        assert "ada@example.com, approver" in tab.inner_text("header")
        assert phone.fits()
        phone.press("ada@example.com, approver")
        tab.get_by_text("you may look at everything, approve and decline").wait_for()
        assert phone.fits()
        phone.press("Sign out")
        tab.get_by_text("You are signed out.").wait_for()
        assert tab.goto(f"{base}/runs").url.startswith(f"{base}/sign-in")
        phone.press("Sign in with a passkey")
        tab.wait_for_url(f"{base}/runs")
        phone.press("ada@example.com, approver")
        tab.wait_for_url(f"{base}/me")
        phone.press("Sign out everywhere")
        tab.get_by_text("You are signed out everywhere.").wait_for()
        assert [one for one in phone.told if KNOWN not in one] == []
        events = [one.event for one in read_sign_ins(state)]
        assert events == ["link", "invited", "registered", "in", "out", "in", "out"]
        assert here("passkey", "remove", kept.credential[:6], "--state-dir", str(state)).code == 0
        tab.goto(f"{base}/sign-in")
        assert "passkey" not in tab.inner_text("main")


def test_an_authenticator_that_does_not_know_whose_finger_it_is_registers_and_opens_nothing(
    tmp_path: Path, phone: Phone
) -> None:
    with pages(tmp_path) as (base, words):
        tab, state = phone.tab, tmp_path / "state"
        phone.knows(whose=False)
        link = invitation(base, words)
        tab.goto(link)
        phone.press("Register a passkey")
        tab.get_by_text("Not done:").wait_for()
        assert list(known_passkeys(state)) == []
        assert tab.evaluate("document.activeElement.textContent") == "Register a passkey", "who types can try again"
        phone.knows(whose=True)
        phone.press("Register a passkey")
        tab.get_by_text("The passkey is registered").wait_for()
        tab.goto(f"{base}/sign-in")
        phone.knows(whose=False)
        phone.press("Sign in with a passkey")
        tab.get_by_text("Not done:").wait_for()
        assert "in" not in [one.event for one in read_sign_ins(state)]

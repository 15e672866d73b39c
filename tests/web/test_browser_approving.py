"""In a real browser: a plan for a real host is approved by passkeys, applied, and watched to its end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.console import here, wait_for
from tests.sshd import MISSING, can_run, running
from tests.web.team import WIDER, Team, tab_to
from tests.web.test_browser import FLAGS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed here (Debian: chromium)"),
    pytest.mark.skipif(not can_run(), reason=MISSING),
]
HOSTILE = "<img src=x onerror=alert(1)>[/bold]\nFile: none"


@pytest.fixture
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Team]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    folder = tmp_path / "sshd"
    folder.mkdir()
    with running(folder) as sshd:
        yield Team(tmp_path, sshd, people=getattr(request, "param", 1))


def test_it_is_approved_by_the_keyboard_alone_on_a_phone_and_what_is_hostile_is_text(
    team: Team, browser: Any, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    plan = team.planned("sh", "-c", 'sleep 3; touch "$1"', HOSTILE, str(done))
    told: list[str] = []
    with team.serving() as server:
        ada = team.signed_in(browser, server, "ada", width=390)
        ada.on("dialog", lambda dialog: told.append(dialog.message))
        ada.on("console", lambda message: told.append(message.text))
        ada.goto(f"{team.base}/pending")
        assert not ada.evaluate(WIDER)
        tab_to(ada, plan.id)
        ada.keyboard.press("Enter")
        ada.wait_for_url(f"{team.base}/pending/{plan.digest}")
        assert not ada.evaluate(WIDER)
        assert ada.query_selector("main img") is None
        assert "onerror=alert(1)" in ada.inner_text("main")
        assert "1 more approval needed" in ada.inner_text("main")
        tab_to(ada, "Yes: ")
        ada.keyboard.press("Space")
        tab_to(ada, "Approve by passkey")
        ada.keyboard.press("Enter")
        ada.get_by_text("You, ada, approved it already").wait_for()
        assert "READY" in ada.inner_text("main")
        assert ada.query_selector("form.apply") is None, "approvers apply nothing"
        assert not done.exists()
        run = _applied(team, browser, server, plan.digest)
        assert told == []
    assert done.exists()
    ran = here("audit", "verify", *team.words[:2], "--allowed-signers", str(team.config / "allowed_signers"))
    assert ran.code == 0, ran.said
    invoked = json.loads((team.state / "runs" / run / "run.jsonl").read_text().splitlines()[0])
    assert invoked["asked"].startswith("on the pages by olga (signed in by passkey, session ")
    [approved] = invoked["applied"]["approvals"]
    assert approved.startswith(f"ada ({team.keys['ada'].key.fingerprint}")
    assert "Asked on the pages by olga" in " ".join(here("report", run).out.split())


def _applied(team: Team, browser: Any, server: Any, digest: str) -> str:
    """The operator applies it, by the keyboard too, and sees it end; the run."""
    olga = team.signed_in(browser, server, "olga", width=390)
    olga.goto(f"{team.base}/pending/{digest}")
    tab_to(olga, "Yes: this plan is carried out now")
    olga.keyboard.press("Space")
    tab_to(olga, "Why (kept in the journal)")
    olga.keyboard.type("drill")
    tab_to(olga, "Apply")
    olga.keyboard.press("Enter")
    olga.wait_for_url(f"{team.base}/runs/*")
    olga.get_by_text("Over.").first.wait_for()
    assert "RESOLVED" in olga.inner_text("main")
    assert "drill" in olga.inner_text("main")
    assert not olga.evaluate(WIDER)
    return str(olga.url.rpartition("/")[2])


@pytest.mark.parametrize("team", [2], indirect=True)
def test_two_people_approve_at_once_and_both_count(team: Team, browser: Any) -> None:
    plan = team.planned("true")
    with team.serving() as server:
        tabs = [team.signed_in(browser, server, name) for name in ("ada", "bob")]
        for tab in tabs:
            tab.goto(f"{team.base}/pending/{plan.digest}")
            assert "2 more approvals needed" in tab.inner_text("main")
            tab.check("form.approve input[type=checkbox]")
        for tab in tabs:  # neither waits for the other
            tab.evaluate("document.querySelector('form.approve').requestSubmit()")
        for tab, name in zip(tabs, ("ada", "bob"), strict=True):
            tab.get_by_text(f"You, {name}, approved it already").wait_for()
        tabs[0].reload()
        words = " ".join(tabs[0].inner_text("main").split())
        assert "READY" in words
        assert "counts ada (" in words
        assert "counts bob (" in words


def test_a_run_goes_on_where_the_server_is_killed_and_is_told_by_the_next(
    team: Team, browser: Any, tmp_path: Path
) -> None:
    begun, go, done = (tmp_path / name for name in ("begun", "go", "done"))
    script = 'touch "$1"; until test -e "$2"; do sleep 0.2; done; touch "$3"'
    plan = team.planned("sh", "-c", script, "sh", *map(str, (begun, go, done)))
    with team.serving() as server:
        ada = team.signed_in(browser, server, "ada")
        ada.goto(f"{team.base}/pending/{plan.digest}")
        ada.check("form.approve input[type=checkbox]")
        ada.get_by_role("button", name="Approve by passkey").click()
        ada.get_by_text("READY", exact=True).wait_for()
        olga = team.signed_in(browser, server, "olga")
        olga.goto(f"{team.base}/pending/{plan.digest}")
        olga.check("#sure")
        olga.get_by_role("button", name="Apply").click()
        olga.wait_for_url(f"{team.base}/runs/*")
        place = olga.url
        wait_for(begun)
        server.process.kill()
        server.process.wait()
    assert not done.exists()
    with team.serving() as server:
        team.sign_in(olga, server)
        olga.goto(place)
        assert "Under way" in olga.inner_text("main")
        go.touch()
        olga.get_by_text("Over.").first.wait_for()
        assert "RESOLVED" in olga.inner_text("main")
        assert done.exists()
        assert olga.goto(f"{team.base}/pending/{plan.digest}").status == 404, "it was carried out"
    ran = here("audit", "verify", *team.words[:2])
    assert ran.code == 0, ran.said

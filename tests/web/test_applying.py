"""An operator applies: the command of the terminal is started, nothing else, and only where nothing is lacking."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from tests.web.waiting import Office, said

from memrunbook.app.asking import VARIABLE, asked_on_pages
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.asked import FOLDER, AskedFor, asked_doubts, asked_file, read_asked, record_asked
from memrunbook.state.ownership import user_name
from memrunbook.state.run_directory import new_run_id

# Stands for `runbook`: once it may, begins the run that a file beside the state names, or says what is wrong.
STAND_IN = """
import json, os, pathlib, sys, time
print(json.dumps(sys.argv[1:]), os.environ["RUNBOOK_ASKED"], flush=True)
run = pathlib.Path(sys.argv[4]).parent / "run"
while not run.with_name("go").exists(): time.sleep(0.05)
if not run.exists():
    print("error: <b>the disk</b> is full\\n  hint: df", file=sys.stderr)
    sys.exit(2)
name, _, line = run.read_text().partition(" ")
folder = pathlib.Path(sys.argv[4]) / "runs" / name
folder.mkdir(parents=True)
(folder / "run.jsonl").write_text(line)
"""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path, program=(sys.executable, "-c", STAND_IN))
    office.waits()
    return office


def applied(office: Office, **fields: str) -> tuple[int, str, str]:
    """The status, the words of the page, and where it leads in the end."""
    client, session = office.site.as_person("operator", "olga")
    with start_blocking_portal() as client.portal:
        given = {"csrf": session.csrf, "digest": office.digest, "sure": "yes", **fields}
        answer = client.post(f"/pending/{office.digest}/apply", data=given)
        if answer.status_code == 303:
            assert answer.headers["location"] == f"/pending/{office.digest}/begun"
            twice = client.post(f"/pending/{office.digest}/apply", data=given)
            assert twice.status_code == 409, "it is at work"
            assert "refresh" in client.get(f"/pending/{office.digest}/begun").headers
            (office.folder / "go").touch()
            while "refresh" in (answer := client.get(f"/pending/{office.digest}/begun")).headers:
                assert "It is being begun" in answer.text
    return answer.status_code, said(answer.text), answer.headers.get("location", "")


def test_nothing_is_begun_where_anything_is_lacking(office: Office) -> None:
    status, words, _ = applied(office)
    assert status == 409
    assert "1 more approval needed" in words
    assert office.approved("ada")[0] == 303
    assert applied(office, sure="")[0] == 400
    page = office.page(office.site.as_person("operator", "olga")[0])
    assert 'class="apply"' in page
    assert 'class="apply"' not in office.page(office.site.as_person("approver", "ada")[0])
    assert not (office.site.state / FOLDER).exists()


def test_the_command_of_the_terminal_is_begun_and_the_page_of_its_run_follows(office: Office, tmp_path: Path) -> None:
    office.approved("ada")
    run = new_run_id(SystemClock().now())
    invoked = {
        "event": "invoked", "time": "", "engine": "", "actor": {"user": "x"}, "command": "", "reason": "",
        "runbook": "small", "runbook_digest": "", "origin": "", "parameters": {}, "hosts": [],
        "applied": {"file": "", "digest": office.digest, "creator": ""},
    }  # fmt: skip
    (tmp_path / "run").write_text(f"{run} {json.dumps(invoked, separators=(',', ':'))}\n")
    status, _, place = applied(office, reason="a drill; rm -rf / 'x'")
    assert (status, place) == (303, f"/runs/{run}")
    [log] = (office.site.state / FOLDER).glob("*.log")
    words, _, head = log.read_text().strip().rpartition(" ")
    assert json.loads(words) == [
        "apply", str(office._path), "--state-dir", str(office.site.state), "--reason", "a drill; rm -rf / 'x'",
    ]  # fmt: skip
    [record] = map(json.loads, (office.site.state / "asked.jsonl").read_text().splitlines())
    assert record["hash"] == head
    assert (record["what"], record["digest"], record["who"]) == ("apply", office.digest, "olga")
    assert list(asked_doubts(office.site.state)) == []


def test_what_the_command_said_is_on_the_page_where_no_run_was_begun(office: Office) -> None:
    office.approved("ada")
    status, words, _ = applied(office)
    assert status == 409
    assert "ended with 2, and no run was begun" in words
    assert "&lt;b&gt;the disk&lt;/b&gt; is full" in words
    assert str(office.site.state / FOLDER) in words
    assert office.site.defects == []


def test_who_asked_is_believed_of_the_chain_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = SystemClock().now().utc
    asked = AskedFor(at=now, what="apply", digest="d" * 64, who="ada", how="signed in by passkey", session="1a2b")
    head = record_asked(tmp_path, asked)
    for said_so in ("", "ada", "0" * 64):
        monkeypatch.setenv(VARIABLE, said_so)
        assert asked_on_pages(tmp_path, "apply", "d" * 64) == ""
    monkeypatch.setenv(VARIABLE, head)
    assert asked_on_pages(tmp_path, "apply", "d" * 64) == "on the pages by ada (signed in by passkey, session 1a2b)"
    assert asked_on_pages(tmp_path, "apply", "e" * 64) == "", "it is for that plan"
    assert asked_on_pages(tmp_path, "alert", "d" * 64) == ""
    late = record_asked(tmp_path, AskedFor(at=now - 3600, what="apply", digest="d" * 64, who="ada", how="x"))
    monkeypatch.setenv(VARIABLE, late)
    assert asked_on_pages(tmp_path, "apply", "d" * 64) == "", "and for now"


def test_of_a_team_nobody_asks_in_the_name_of_anothers_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "team"
    state.mkdir()
    state.chmod(0o3770)
    me, now = os.geteuid(), SystemClock().now().utc
    head = record_asked(state, AskedFor(at=now, what="apply", digest="d" * 64, who="ada", how="signed in by passkey"))
    own = asked_file(state)
    assert (own.name, oct(own.stat().st_mode & 0o777)) == (f"asked-{me}.jsonl", "0o640")
    monkeypatch.setenv(VARIABLE, head)
    said_here = asked_on_pages(state, "apply", "d" * 64)
    assert said_here == f"on the pages of {user_name(me)} by ada (signed in by passkey)"
    assert [one.who for one in read_asked(state)] == ["ada"]
    for change in (lambda: own.chmod(0o660), lambda: own.rename(state / f"asked-{me + 1}.jsonl")):
        change()
        assert asked_on_pages(state, "apply", "d" * 64) == "", "who else may write it could claim anything"
    assert [one.who for one in read_asked(state)] == ["ada"], "it is shown, by whomever it was written"
    assert list(asked_doubts(state)) == []
    [line] = (state / f"asked-{me + 1}.jsonl").read_text().splitlines()
    (state / f"asked-{me + 1}.jsonl").write_text(line.replace("ada", "bob") + "\n")
    assert len(list(asked_doubts(state))) == 1


def test_the_journal_shows_who_asked(office: Office) -> None:
    office.approved("ada")
    applied(office)
    words = said(office.site.as_person("viewer")[0].get("/journal").text)
    assert "a plan was to be applied" in words
    assert "by olga (signed in by passkey, session" in words


def test_a_reason_is_a_line_that_a_command_can_be_given(office: Office) -> None:
    office.approved("ada")
    assert applied(office, reason="a\0b\x1b[2J\r\n--yes" + "\0" * 900)[0] in (303, 409)
    assert office.site.defects == []
    [said_of_it] = [one.read_text() for one in (office.site.state / FOLDER).glob("*.log")]
    words, _ = json.JSONDecoder().raw_decode(said_of_it)
    assert words[words.index("--reason") + 1].startswith("a\\x00b\\x1b[2J\\r\\n--yes")

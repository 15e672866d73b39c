"""A plan is approved on its page as it is at the terminal: the same questions, the same rules, no more for anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.ui.html.parsed import each, served
from tests.web.waiting import HOSTILE, Office, changed, said

from memrunbook.app.approving import HIDDEN_PARTS
from memrunbook.core.action.action import Risk
from memrunbook.state.signatures import verified
from memrunbook.state.waiting import declined

PAGE = ("Command", "Costs", "Proven by", "Undo", "Risk", "carol on ctl", "1 more approval needed", "Approve by",
        "Nobody approved it yet", "runbook approve", "Decline")  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.waits()
    return office


def test_the_page_is_that_of_the_gates_and_says_who_may_what(office: Office) -> None:
    client, _ = office.site.as_person("approver", "ada")
    page = office.page(client)
    served(page)
    for word in PAGE:
        assert word in said(page), word
    assert "d shows the script" not in page
    assert f"/pending/{office.digest}" in client.get("/pending").text
    viewer = office.page(office.site.as_person("viewer", "ada")[0])
    assert "Your role is viewer" in said(viewer)
    assert 'class="approve"' not in viewer
    assert 'class="decline"' not in viewer
    by_link = office.page(office.site.as_person("operator")[0])
    assert "Nobody knows who you are" in said(by_link)
    assert "carol made the plan" in said(office.page(office.site.as_person("operator", "carol")[0]))
    assert "No passkey of dora" in said(office.page(office.site.as_person("operator", "dora")[0]))


def test_the_overview_leads_to_the_plans_that_wait(office: Office) -> None:
    client, _ = office.site.as_person("viewer", "ada")
    root = served(client.get("/").text)
    needs = next(one for one in each(root, "section") if one.get("aria-labelledby") == "needs")
    assert [(one.get("href"), one.text) for one in each(needs, "a")] == [("/pending", "Waiting plans")]


def test_an_approval_is_the_one_that_the_terminal_would_have_kept(office: Office) -> None:
    assert office.approved("ada")[0] == 303
    [one] = office.approvals
    assert one.principal == "ada"
    assert verified(one.signature, office._path.read_bytes()) == office.keys["ada"].key
    page = said(office.page(office.site.as_person("approver", "ada")[0]))
    assert "READY" in page
    assert f"counts ada ({one.key}" in page
    assert "You, ada, approved it already" in page


def test_two_people_count_and_one_who_comes_twice_does_not(office: Office) -> None:
    office.asks("  - {risk: low, people: 2}\n")
    client, session = office.site.as_person("approver", "ada")
    form = office.form("ada", client, session.csrf)
    assert client.post(f"/pending/{office.digest}/approve", data=form).status_code == 303
    assert client.post(f"/pending/{office.digest}/approve", data=form).status_code == 409, "a challenge is for once"
    assert "1 more approval needed" in said(office.page(client))
    assert office.approved("bob")[0] == 303
    assert "READY" in said(office.page(client))
    assert [one.principal for one in office.approvals] == ["ada", "bob"]


def test_what_was_not_confirmed_is_not_approved(office: Office) -> None:
    status, words = office.approved("ada", **{"yes-1-1": ""})
    assert (status, office.approvals) == (409, [])
    assert "it was not confirmed" in words
    assert "nothing was signed" in words


def test_names_are_typed_where_the_terminal_wants_them(office: Office) -> None:
    office.waits("db7", "web1", risk=Risk.HIGH, target="web")
    client, _ = office.site.as_person("approver", "ada")
    assert said(office.page(client)).count("Type web to go on") == 2
    names = {"name-1-1": "web", "name-1-2": "db7", "name-2-1": "web"}
    status, words = office.approved("ada", **names, **{"name-2-2": "db7"})
    assert (status, office.approvals) == (409, [])
    assert "web1 was not typed" in words
    assert office.approved("ada", **names, **{"name-2-2": "web1"})[0] == 303


def test_whoever_would_not_count_gets_no_challenge_and_keeps_nothing(office: Office) -> None:
    client, session = office.site.as_person("operator", "carol")
    refused = client.get(f"/pending/{office.digest}/challenge")
    assert refused.status_code == 409
    assert "carol made the plan" in refused.json()["error"]["what"]
    ada, own = office.site.as_person("approver", "ada")
    form = office.form("ada", ada, own.csrf)
    (office.config / "allowed_signers").write_text(office.keys["bob"].line("bob"))
    answer = ada.post(f"/pending/{office.digest}/approve", data=form)
    assert (answer.status_code, office.approvals) == (409, [])
    assert "is not in " in said(answer.text)
    assert client.post(f"/pending/{office.digest}/approve", data={"csrf": session.csrf}).status_code == 409


def test_a_plan_that_was_changed_meanwhile_is_not_approved(office: Office) -> None:
    client, session = office.site.as_person("approver", "ada")
    form, place = office.form("ada", client, session.csrf), f"/pending/{office.digest}/approve"
    office.waits(costs="other words")
    gone = client.post(place, data=form)
    assert gone.status_code == 404
    other = client.post(f"/pending/{office.digest}/approve", data=form)
    assert other.status_code == 409
    assert "Another plan lies there" in said(other.text)
    form = {**form, "digest": office.digest}
    client.get(f"/pending/{office.digest}/challenge")
    unfit = client.post(f"/pending/{office.digest}/approve", data=form)
    assert unfit.status_code == 409
    assert "the signature of the passkey: it does not match" in said(unfit.text)
    assert office.approvals == []


def test_one_that_is_over_can_only_be_declined(office: Office) -> None:
    office.waits(until=-60.0)
    client, session = office.site.as_person("approver", "ada")
    page = office.page(client)
    assert "VOID" in said(page)
    assert 'class="approve"' not in page
    assert client.get(f"/pending/{office.digest}/challenge").status_code == 409
    answer = client.post(
        f"/pending/{office.digest}/decline", data={"csrf": session.csrf, "digest": office.digest, "reason": "too late"}
    )
    assert answer.status_code == 303
    assert office.digest in declined(office.site.state)
    told = (office.site.state / "declined.jsonl").read_text()
    assert '"who":"ada"' in told
    assert "too late" in told
    assert client.get(f"/pending/{office.digest}").status_code == 404


def test_an_answer_to_another_site_counts_for_nothing(office: Office) -> None:
    client, session = office.site.as_person("approver", "ada")
    place = f"/pending/{office.digest}/approve"
    for words, status in (
        ({"origin": "http://evil.example"}, 403),
        ({"crossOrigin": True}, 403),
        ({"type": "webauthn.create"}, 409),
        ({"challenge": "AAAA"}, 409),
    ):
        form = changed(office.form("ada", client, session.csrf), **words)
        assert client.post(place, data=form).status_code == status, words
    for name in ("credential", "authenticator_data", "client_data", "signature"):
        for value in ("", "!", "AAAA", "é"):
            form = {**office.form("ada", client, session.csrf), name: value}
            assert client.post(place, data=form).status_code in (400, 403, 409), (name, value)
    bob = {**office.form("ada", client, session.csrf), "credential": "Ym9i"}
    assert client.post(place, data=bob).status_code == 403, "bob's passkey is not ada's"
    assert office.approvals == []
    assert office.site.defects == []


def test_a_challenge_of_one_session_is_not_for_another_nor_for_ever(office: Office) -> None:
    first, one = office.site.as_person("approver", "ada")
    second, two = office.site.as_person("approver", "ada")
    form = office.form("ada", first, one.csrf)
    answer = second.post(f"/pending/{office.digest}/approve", data={**form, "csrf": two.csrf})
    assert answer.status_code == 409
    assert "too late, or answers for another page" in said(answer.text)
    assert office.approvals == []


def test_a_hostile_name_is_text_wherever_it_stands(office: Office) -> None:
    office.waits(
        HOSTILE, risk=Risk.HIGH, target=HOSTILE, summary=HOSTILE, command=HOSTILE, costs=HOSTILE, script=HOSTILE
    )
    client, _ = office.site.as_person("approver", "ada")
    page = office.page(client)
    root = served(page)
    assert [one.tag for one in root.iter() if one.tag in ("img", "b", "object")] == []
    assert "<img" not in page
    assert "onerror=alert(1)" in said(page), "it is there to be read"
    for place in ("/pending", f"/pending/{office.digest}"):
        assert [one for one in each(served(client.get(place).text), "script") if one.text] == []
    assert office.site.defects == []


def test_without_rules_it_is_signed_for_nobody_as_at_the_terminal(office: Office) -> None:
    office.asks("")
    assert office.approved("ada")[0] == 303
    page = said(office.page(office.site.as_person("viewer")[0]))
    assert "does not count signed by SHA256:" in page
    assert "who says ada" in page


def test_a_secret_that_is_hidden_in_the_file_is_told_as_the_terminal_tells_it(office: Office) -> None:
    office.waits(args=("--token", "hunter2-hunter2"), command="mail --token hunter2-hunter2")
    page = office.page(office.site.as_person("approver", "ada")[0])
    assert "hunter2" not in page
    assert HIDDEN_PARTS in said(page)
    assert office.approved("ada")[0] == 303

"""Nothing is changed but by a form of the session of somebody who may."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.ui.html.parsed import each, served, words
from tests.web.pages import TOKEN
from tests.web.waiting import Office

from memrunbook.documents.roles import Role
from memrunbook.state.waiting import declined

ACTS: dict[str, Role] = {"approve": "approver", "decline": "approver", "apply": "operator"}
ROLES: tuple[Role, ...] = ("viewer", "approver", "operator")
FOREIGN = [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.waits()
    return office


@pytest.mark.parametrize("act", ACTS)
def test_nobody_may_without_a_session_or_by_a_form_of_another(office: Office, act: str) -> None:
    place = f"/pending/{office.digest}/{act}"
    client, session = office.site.as_person("operator", "ada")
    _, other = office.site.as_person("operator", "ada")
    given = {"csrf": session.csrf, "digest": office.digest, "sure": "yes"}
    assert office.site.client().post(place, data=given).status_code == 401
    for csrf in ("", "wrong", other.csrf):
        assert client.post(place, data={**given, "csrf": csrf}).status_code == 403, csrf
    for headers in FOREIGN:
        assert client.post(place, data=given, headers=headers).status_code == 403, headers
    assert client.post(place, json=given).status_code == 403, "no form"
    assert client.get(place).status_code == 405
    _untouched(office)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", ACTS)
def test_each_role_may_what_it_may(office: Office, act: str, role: Role) -> None:
    client, session = office.site.as_person(role, "ada")
    given = {"csrf": session.csrf, "digest": "another"}
    status = client.post(f"/pending/{office.digest}/{act}", data=given).status_code
    assert status == (409 if ROLES.index(role) >= ROLES.index(ACTS[act]) else 403)
    _untouched(office)


def _untouched(office: Office) -> None:
    assert office.approvals == []
    assert declined(office.site.state) == frozenset()
    assert not (office.site.state / "asked.jsonl").exists()
    assert office.site.defects == []


@pytest.mark.parametrize("turn", ["pause", "resume"])
def test_schedules_are_turned_by_operators_alone(tmp_path: Path, turn: str) -> None:
    office = Office(tmp_path, timetable="- {name: night, every: 1h, runbook: swap-capacity, hosts: db7}\n")
    place = f"/schedules/night/{turn}"
    for role in ROLES:
        client, session = office.site.as_person(role, "ada")
        given = {"csrf": session.csrf, "sure": "yes", "reason": "a drill"}
        assert client.post(place, data={**given, "csrf": "wrong"}).status_code == 403
        for headers in FOREIGN:
            assert client.post(place, data=given, headers=headers).status_code == 403
        assert client.post(place, data=given).status_code == (303 if role == "operator" else 403), role
    assert office.site.client().post(place, data={"sure": "yes"}).status_code == 401
    client, session = office.site.as_person("operator", "ada")
    assert client.post(place, data={"csrf": session.csrf}).status_code == 400, "it was not confirmed"
    nobody = client.post("/schedules/nobody/pause", data={"csrf": session.csrf, "sure": "yes"})
    assert nobody.status_code == 404
    page = client.get("/schedules").text
    confirmed = words(next(each(served(page), "label")))
    assert "night" in confirmed, "what is confirmed is named before the button"
    assert ("by ada: a drill" in page) is (turn == "pause")
    assert f"/schedules/night/{'resume' if turn == 'pause' else 'pause'}" in page
    assert "/schedules/night/" not in office.site.as_person("approver", "ada")[0].get("/schedules").text
    assert office.site.defects == []


def test_programs_are_told_what_is_wrong_with_a_file_and_where(tmp_path: Path) -> None:
    office = Office(tmp_path, timetable="night: {}\n")
    answer = office.site.client().get("/api/v1/schedules", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 503
    said = answer.json()["error"]
    assert said["where"].endswith("schedules.yaml:2:3")
    assert "must be a list" in said["what"]

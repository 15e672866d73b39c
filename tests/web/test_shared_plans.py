"""The pages of one control node, and a plan that another one keeps in the same store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgres import MISSING, Postgres, postgres, programs
from tests.web.waiting import Office, said

from memrunbook.app.pending_plans import PendingArguments, PendingPlan, pending
from memrunbook.state.approvals import read_approvals

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with postgres() as running:
        yield running


def test_what_is_said_on_a_page_is_known_on_every_node(
    tmp_path: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNBOOK_STORE", server.url)
    office = Office(tmp_path)
    kept = office.waits()

    def elsewhere() -> list[PendingPlan]:
        return list(pending(PendingArguments(state=tmp_path / "b", library=office.library)))

    client, session = office.site.as_person("approver", "ada")
    assert f"/pending/{office.digest}" in client.get("/pending").text
    [plan] = elsewhere()
    assert plan.path.read_bytes() == kept.read_bytes()
    form = office.form("ada", client, session.csrf)
    answer = client.post(f"/pending/{office.digest}/approve", data=form, follow_redirects=False)
    assert answer.status_code == 303
    assert [one.approvals for one in elsewhere()] == [1]
    assert read_approvals(plan.path) == office.approvals
    server.stop()
    for page in ("/", "/pending"):
        assert "UNKNOWN : what other control nodes keep is not known now" in said(client.get(page).text)
    assert "db7" in said(client.get("/pending").text), "what waits here is listed"
    server.start()
    fields = {"csrf": session.csrf, "digest": office.digest, "reason": "not now"}
    assert client.post(f"/pending/{office.digest}/decline", data=fields, follow_redirects=False).status_code == 303
    assert elsewhere() == []
    assert not office.site.defects

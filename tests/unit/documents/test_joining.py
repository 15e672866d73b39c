"""The administrator's files bind everybody: one's own, or those of --config-dir, add to them and take nothing away."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import DocumentError
from memrunbook.core.plan.approval import people_needed
from memrunbook.core.plan.limits import Limits
from memrunbook.documents import library
from memrunbook.documents.checkup import inspect_documents
from memrunbook.documents.config import DAY, Config
from memrunbook.documents.library import Library, usual_library

WINDOW = "freeze:\n  - {name: NAME, zone: UTC, days: [mon], from: '00:00', until: '24:00'}\n"


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The administrator's folder; whoever runs this has a home of its own."""
    for name in ("etc", "home", "team"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(library, "ADMINISTRATORS", tmp_path / "etc")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("RUNBOOK_PATH", raising=False)
    return tmp_path / "etc"


def both(etc: Path, binding: str, own: str) -> Config:
    """What counts where the administrator says the one and --config-dir the other."""
    team = etc.parent / "team"
    for folder, text in ((etc, binding), (team, own)):
        for name in ("signers", "revoked", "id"):
            (folder / name).touch()
        (folder / "config.yaml").write_text(text)
    return usual_library((), team).config()


def test_approvals_and_whose_keys_count_are_joined(etc: Path) -> None:
    binding = "approvals: [{people: 2, risk: high}]\nallowed_signers: signers\nrevoked_keys: revoked\n"
    found = both(etc, binding, "approvals: [{people: 1}]\nallowed_signers: signers\nrevoked_keys: revoked\n")
    assert [people_needed(found.approvals, "b", "h", risk) for risk in (Risk.LOW, Risk.HIGH)] == [1, 2]
    assert found.allowed_signers == (etc / "signers", etc.parent / "team" / "signers")
    assert found.revoked_keys == (etc / "revoked", etc.parent / "team" / "revoked")
    alone = both(etc, binding, "defaults: {forks: 3}\n")
    assert (alone.allowed_signers, len(alone.approvals)) == ((etc / "signers",), 1)


@pytest.mark.parametrize(
    ("binding", "own", "hours"),
    [("4h", "48h", 4), ("4h", "1h", 1), ("4h", "", 4), ("", "48h", 48), ("48h", "", 48), ("", "", 24)],
)
def test_the_shorter_deadline_counts(etc: Path, binding: str, own: str, hours: int) -> None:
    texts = [f"deadline: {one}\n" if one else "reason: optional\n" for one in (binding, own)]
    assert both(etc, *texts).deadline == hours * DAY / 24


@pytest.mark.parametrize(
    ("binding", "own", "asked", "where"),
    [
        ("medium", "high", Risk.MEDIUM, "{etc}/config.yaml:1"),
        ("high", "required", Risk.NONE, "config.yaml:1"),
        ("low", "optional", Risk.LOW, "{etc}/config.yaml:1"),
        ("optional", "high", Risk.HIGH, "config.yaml:1"),
        ("optional", "optional", None, "config.yaml:1"),
    ],
)
def test_the_reason_that_is_asked_for_sooner_counts(
    etc: Path, binding: str, own: str, asked: Risk | None, where: str
) -> None:
    found = both(etc, f"reason: {binding}\n", f"reason: {own}\n")
    assert (found.reason_from, found.reason_where) == (asked, where.format(etc=etc))


def test_what_is_forbidden_by_either_is_and_is_told_by_its_file(etc: Path) -> None:
    kinds = "untouchable: [{unit: UNIT}]\nmaximum_risk: [{risk: RISK}]\n" + WINDOW
    binding = kinds.replace("UNIT", "etcd.service").replace("RISK", "low").replace("NAME", "annual")
    own = kinds.replace("UNIT", "db.service").replace("RISK", "medium").replace("NAME", "nightly")
    found = both(etc, binding, own)
    assert [(one.rule.pattern, one.rule.where) for one in found.untouchable] == [
        ("etcd.service", f"{etc}/config.yaml:1"),
        ("db.service", "config.yaml:1"),
    ]
    assert [(one.risk, one.where) for one in found.maximum_risk] == [
        (Risk.LOW, f"{etc}/config.yaml:2"),
        (Risk.MEDIUM, "config.yaml:2"),
    ]
    assert [(one.name, one.where) for one in found.freeze] == [
        ("annual", f"{etc}/config.yaml:4"),
        ("nightly", "config.yaml:4"),
    ]


def test_the_stricter_limit_counts_where_both_name_one(etc: Path) -> None:
    binding = "limits: {cool_down: 30m, most_in_week: 2, storm_percent: 1, most_in_run: 5}\n"
    found = both(etc, binding, "limits: {cool_down: 5m, most_in_week: 9, storm_hosts: 9, most_in_run: 2}\n").limits
    assert (found.cool_down, found.most_in_week, found.storm_percent, found.most_in_run) == (1800.0, 2, 1.0, 2)
    assert found.storm_hosts == 9, "the administrator left it open"
    assert found.restart_every == Limits().restart_every


def test_defaults_store_and_log_are_ones_own_where_one_says_so(etc: Path) -> None:
    binding = "defaults: {user: ops, forks: 3, sudo: never, identity: id}\nstore: a.sqlite\nforward: syslog\n"
    found = both(etc, binding, "defaults: {user: ada, port: 2222}\n")
    assert (found.defaults.user, found.defaults.port, found.defaults.forks) == ("ada", 2222, 3)
    assert (found.defaults.sudo, found.defaults.identity) == ("never", (etc / "id",))
    assert (found.store.place, found.forward) == (str(etc / "a.sqlite"), "syslog")
    other = both(etc, binding, "store: b.sqlite\nforward: journald\n")
    assert (other.store.place, other.forward) == (str(etc.parent / "team" / "b.sqlite"), "journald")


def test_a_file_alone_is_as_it_was(etc: Path) -> None:
    assert usual_library().config() == Config()
    (etc / "config.yaml").write_text("reason: required\n")
    assert usual_library().config().reason_where == "config.yaml:1"
    assert usual_library((), etc).config().reason_where == "config.yaml:1", "not joined with itself"
    own = etc.parent / "home" / ".config" / "memrunbook"
    own.mkdir(parents=True)
    (own / "config.yaml").write_text("reason: optional\n")
    assert usual_library().config().reason_from is Risk.NONE
    assert Library(settings=own / "config.yaml").config().reason_from is None


def test_a_mistake_in_the_administrators_file_is_told_whoever_names_another(etc: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        both(etc, "no_such_key: 1\n", "reason: optional\n")
    assert caught.value.problems[0].where.startswith(f"{etc}/config.yaml:1")


def test_services_are_joined_and_doctor_names_both_files(etc: Path) -> None:
    team = etc.parent / "team"
    (team / "services.yaml").write_text("services: [{unit: 'web*.service', restart: 'yes', stop: 'yes'}]\n")
    mine = usual_library((), team)
    said = mine.policy()
    assert (said.unit("web.service", 0.0).restart, said.unit("db.service", 0.0).restart) == ("yes", "unlisted")
    (etc / "services.yaml").write_text("services: [{unit: web.service, restart: 'no'}]\n")
    policy = usual_library((), team).policy()
    assert (policy.unit("web.service", 0.0).restart, policy.unit("web.service", 0.0).stop) == ("no", "yes")
    assert policy.unit("web-2.service", 0.0).restart == "yes"
    assert usual_library().policy().unit("web.service", 0.0).restart == "no"
    both(etc, "reason: optional\n", "reason: optional\n")
    told = {one.name: one.said for one in inspect_documents(usual_library((), team))}
    for name in ("config.yaml", "services.yaml"):
        assert told[name] == f"{team / name}; {etc / name} binds beside it, the stricter word counts"


def test_a_services_file_that_everybody_may_write_binds_nobody(etc: Path) -> None:
    path = etc / "services.yaml"
    path.write_text("services: []\n")
    path.chmod(0o666)
    with pytest.raises(DocumentError) as caught:
        usual_library().policy()
    assert "everybody may write it" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("binding", "own", "roles"),
    [
        (
            "serve: {roles: {approver: [ada]}}",
            "serve: {roles: {operator: [ada, eve], viewer: ['*']}}",
            ["approver", None],
        ),
        ("serve: {roles: {operator: [ada], viewer: ['*']}}", "serve: {roles: {viewer: [ada]}}", ["viewer", None]),
        ("serve: {roles: {operator: [ada], viewer: ['*']}}", "serve: {roles: {}}", [None, None]),
        ("serve: {roles: {operator: [ada], viewer: ['*']}}", "serve: {idle: 5m}", ["operator", "viewer"]),
        ("serve: {idle: 5m}", "serve: {roles: {operator: [ada], viewer: ['*']}}", [None, None]),
        ("reason: required", "serve: {roles: {operator: [ada], viewer: ['*']}}", ["operator", "viewer"]),
    ],
)
def test_nobody_gets_a_role_by_ones_own_file_that_the_administrator_does_not_give(
    etc: Path, binding: str, own: str, roles: list[str | None]
) -> None:
    found = both(etc, f"{binding}\n", f"{own}\n").serve.roles
    assert [found.role_of(one) for one in ("ada", "eve")] == roles


def test_ones_own_file_adds_no_way_to_sign_in_to_those_of_the_administrator(etc: Path) -> None:
    own = "serve: {trusted_proxies: [127.0.0.1], proxy_header: X-User, oidc: {issuer: 'https://evil', client_id: c}}\n"
    found = both(etc, "serve: {roles: {operator: [ada]}}\n", own).serve
    assert (found.oidc, found.proxy_header, found.trusted_proxies) == (None, "", ())
    assert found.roles.role_of("ada") == "operator"

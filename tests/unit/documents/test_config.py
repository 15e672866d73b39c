"""config.yaml: what it asks for, and its mistakes with line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import DocumentError
from memrunbook.core.plan.approval import ApprovalRule
from memrunbook.documents.config import DAY, Config, Defaults, MaximumRisk, load_config
from memrunbook.documents.library import Library, usual_library


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_paths_lie_beside_it_and_a_deadline_is_a_time(tmp_path: Path) -> None:
    (tmp_path / "signers").touch()
    revoked = tmp_path / "elsewhere"
    revoked.touch()
    text = f"approvals: [{{people: 2, hosts: db*}}]\nallowed_signers: signers\nrevoked_keys: {revoked}\ndeadline: 4h\n"
    found = load_config(written(tmp_path, text))
    assert found.approvals == (ApprovalRule(people=2, hosts="db*"),)
    assert (found.allowed_signers, found.revoked_keys) == ((tmp_path / "signers",), (revoked,))
    assert found.deadline == 4 * 3600
    assert load_config(written(tmp_path, "allowed_signers: signers\n")).deadline == DAY


def test_without_one_nothing_is_asked() -> None:
    assert Library().config() == Config()
    assert (Config().reason_from, Config().freeze, Config().defaults) == (None, (), Defaults())


def test_defaults_are_options_and_their_files_lie_beside_it(tmp_path: Path) -> None:
    for name in ("id", "hosts-1", "hosts-2", "ssh"):
        (tmp_path / name).touch()
    text = """\
defaults:
  user: ops
  port: 2222
  identity: id
  known_hosts: [hosts-1, hosts-2]
  ssh_config: ssh
  sudo: never
  forks: 7
  patience: 2m
"""
    found = load_config(written(tmp_path, text)).defaults
    hosts = (tmp_path / "hosts-1", tmp_path / "hosts-2")
    assert found == Defaults("ops", 2222, (tmp_path / "id",), hosts, tmp_path / "ssh", "never", 7, 120.0)


def test_what_is_untouchable_has_the_line_that_says_so(tmp_path: Path) -> None:
    text = """\
untouchable:
  - unit: "ledger*.service"
    why: the books
  - {process: ledgerd, hosts: "db*"}
  - {container: vault}

  - hosts: "prod-*"
"""
    found = load_config(written(tmp_path, text)).untouchable
    assert [(one.hosts, one.rule.kind, one.rule.pattern, one.rule.where) for one in found] == [
        ("*", "unit", "ledger*.service", "config.yaml:2"),
        ("db*", "process", "ledgerd", "config.yaml:4"),
        ("*", "container", "vault", "config.yaml:5"),
        ("prod-*", "host", "prod-*", "config.yaml:7"),
    ]
    assert found[0].rule.why == "the books"


def test_limits_and_a_reason_by_risk(tmp_path: Path) -> None:
    text = "maximum_risk:\n  - {risk: low, tag: production, modes: [undo], why: x}\n  - risk: none\nreason: medium\n"
    found = load_config(written(tmp_path, text))
    assert found.maximum_risk == (
        MaximumRisk(Risk.LOW, "*", "production", frozenset({"undo"}), "config.yaml:2", "x"),
        MaximumRisk(Risk.NONE, "*", "", frozenset({"run", "apply"}), "config.yaml:3", ""),
    )
    assert (found.reason_from, found.reason_where) == (Risk.MEDIUM, "config.yaml:4")
    assert load_config(written(tmp_path, "reason: required\n")).reason_from is Risk.NONE
    assert load_config(written(tmp_path, "reason: optional\n")).reason_from is None


def test_all_mistakes_are_told_at_once_in_their_order(tmp_path: Path) -> None:
    text = """\
defaults: {identity: [id, keys]}
untouchable:
  - {unit: a.service, process: a}
freeze: [{name: a, zone: Mars, from: "2026-01-01 00:00", until: "2026-01-02 00:00"}]
revoked_keys: none
"""
    (tmp_path / "keys").mkdir()
    with pytest.raises(DocumentError) as caught:
        load_config(written(tmp_path, text))
    assert [one.message for one in caught.value.problems] == [
        f"there is no file {tmp_path}/id",
        f"{tmp_path}/keys is no file",
        "this names unit and process at once",
        'there is no time zone "Mars"',
        f"there is no file {tmp_path}/none",
    ]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("approvals: [{}]\n", ":1:1", "nobody is allowed to give one"),
        ("allowed_signers: none\n", ":1:18", "there is no file"),
        ("deadline: 4\n", ":1:11", "4 is a duration without a unit"),
        ("aprovals: []\n", ":1:1", '"aprovals" is not known here'),
        ("approvals:\n  - {people: 0}\n", ":2:14", "must be at least 1"),
        ("approvals:\n  - {risk: huge}\n", ":2:12", 'must be one of "high", "low", "medium"'),
        ("allowed_signers: ''\n", ":1:18", "at least 1"),
        ("- 1\n", ":1:1", "must be a mapping"),
        ("", ":1:1", "must be a mapping"),
        ("# nothing yet\n", ":1:1", "must be a mapping"),
        ("defaults: {usr: ada}\n", ":1:12", '"usr" is not known here'),
        ("defaults: {user: ada@web}\n", ":1:18", "is no login: one word"),
        ("defaults: {port: 70000}\n", ":1:18", "must be at most 65535"),
        ("defaults: {sudo: maybe}\n", ":1:18", "must be one of"),
        ("defaults: [user]\n", ":1:11", "must be a mapping"),
        ("defaults:\n", ":1:10", "must be a mapping"),
        ("untouchable: {unit: x}\n", ":1:14", "must be a list"),
        ("untouchable: [ledger.service]\n", ":1:15", "must be a mapping"),
        ("untouchable: [{}]\n", ":1:15", "this forbids every change on every host"),
        ('untouchable: [{hosts: "*"}]\n', ":1:15", "this forbids every change on every host"),
        ('untouchable: [{unit: "**"}]\n', ":1:22", "this pattern is every unit"),
        ('untouchable: [{process: "*", hosts: db}]\n', ":1:25", "this pattern is every process"),
        ('untouchable: [{unit: ""}]\n', ":1:22", "at least 1"),
        ("maximum_risk: [{risk: high}]\n", ":1:23", "must be one of"),
        ("maximum_risk: [{}]\n", ":1:16", '"risk" is missing'),
        ("maximum_risk: [{risk: low, modes: []}]\n", ":1:35", "at least 1 items"),
        ("maximum_risk: [{risk: low, modes: [rn]}]\n", ":1:36", "must be one of"),
        ("reason: yes\n", ":1:9", "must be one of"),
        ("reason: required\nreason: optional\n", ":2:1", "twice"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, text: str, where: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DocumentError) as caught:
        load_config(path)
    problem = caught.value.problems[0]
    assert problem.where == f"{path}{where}"
    assert message in problem.message


def test_one_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load_config(tmp_path)
    assert "cannot be read" in caught.value.problems[0].message


def test_a_file_that_is_made_later_is_seen_by_who_runs_for_weeks(tmp_path: Path) -> None:
    library = usual_library(config_dir=tmp_path)
    if library.settings is not None:
        pytest.skip("this user has a config.yaml")
    assert library.config().notify == ()
    (tmp_path / "config.yaml").write_text("notify: [{name: a, way: webhook, url: 'https://a.example/'}]\n")
    assert [one.name for one in library.config().notify] == ["a"]
    assert library.own_settings == tmp_path / "config.yaml"

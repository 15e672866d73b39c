"""`notify` and `alerts` of config.yaml, and their mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.errors import DocumentError
from memrunbook.documents.config import Config, load_config
from memrunbook.documents.joining import joined
from memrunbook.documents.notifying import not_ready
from memrunbook.receivers.command import ProgramReceiver
from memrunbook.receivers.webhook import Webhook


def read(folder: Path, text: str) -> Config:
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(text)
    return load_config(folder / "config.yaml")


def test_receivers_have_their_ways_and_files_lie_beside_it(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "notify:\n"
        "  - {name: hook, way: webhook, url: 'https://a.example/', secret_file: key, on: [failed], repeat: 1h}\n"
        "  - {name: pager, way: command, command: [/bin/page]}\n",
    ).notify
    hook, pager = found
    assert isinstance(hook, Webhook)
    assert isinstance(pager, ProgramReceiver)
    assert (hook.secret_file, hook.on, hook.repeat) == (str(tmp_path / "key"), ("failed",), 3600.0)
    assert (pager.hosts, pager.deadline, len(pager.on)) == ("*", 10.0, 8)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{name: a, way: mail}", 'must be one of "apprise", "command", "webhook", is "mail"'),
        ("{name: a}", "is missing"),
        ("{name: a, way: webhook}", "one of url"),
        ("{name: a, way: webhook, url: 'https://a.example/', urll: x}", '"urll" is not known here'),
        ("{name: a, way: command, command: [page]}", "absolute path"),
        ("{name: a, way: command, command: [/bin/page], deadline: 1h}", "must be from 1.0 s to 60 s"),
        ("{name: a, way: command, command: [/bin/page], on: [sunrise]}", "sunrise"),
        ("{name: a, way: command, command: [/x]}, {name: a, way: command, command: [/y]}", "two receivers"),
        (
            "{name: a, way: webhook, url: 'https://a.example/', headers: {X: \"a\\r\\nY: 1\"}}",
            "is no value of a header",
        ),
    ],
)
def test_what_makes_no_sense_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DocumentError) as error:
        read(tmp_path, f"notify: [{text}]\n")
    assert any(told in problem.message for problem in error.value.problems), error.value.problems
    assert all("config.yaml:1:" in problem.where for problem in error.value.problems)


def test_alerts_match_by_patterns_of_labels(tmp_path: Path) -> None:
    [rule] = read(
        tmp_path, "alerts: [{alertname: 'Mem*', labels: {env: 'prod*'}, runbook: memory-shortage, inventory: hosts}]\n"
    ).alerts
    assert rule.where == "config.yaml:1"
    assert rule.inventory == (str(tmp_path / "hosts"),)
    assert rule.matches({"alertname": "MemoryLow", "env": "production"})
    assert not rule.matches({"alertname": "MemoryLow", "env": "test"})
    assert not rule.matches({"alertname": "MemoryLow"})
    assert not rule.matches({"env": "prod"})


@pytest.mark.parametrize(
    ("more", "told"),
    [("allow: ['freeze:x']", "nobody is there"), ("allow: ['again:a:b']", "nobody is there"), ("window: 1s", "must be"),
     ("mode: always", "must be"), ("max_risk: huge", "must be")],
)  # fmt: skip
def test_what_no_alert_may_do(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(DocumentError) as error:
        read(tmp_path, f"alerts: [{{alertname: a, runbook: b, {more}}}]\n")
    assert told in error.value.problems[0].message


def test_the_administrators_receiver_and_entry_count_before_ones_own(tmp_path: Path) -> None:
    binding = read(
        tmp_path / "etc",
        "notify: [{name: a, way: command, command: [/bin/theirs]}]\nalerts: [{alertname: x, runbook: theirs}]\n",
    )
    own = read(
        tmp_path / "home",
        "notify: [{name: a, way: command, command: [/bin/mine]}, {name: b, way: command, command: [/bin/b]}]\n"
        "alerts: [{alertname: x, runbook: mine, mode: run}]\n",
    )
    found = joined(binding, own, tmp_path / "etc")
    assert {one.name: one.command[0] for one in found.notify if isinstance(one, ProgramReceiver)} == {
        "a": "/bin/theirs",
        "b": "/bin/b",
    }
    assert [one.spec.runbook for one in found.alerts] == ["theirs", "mine"]
    assert found.alerts[0].where == f"{tmp_path}/etc/config.yaml:2"


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ("{alertname: 'Memory.*', runbook: r}", "looks like a regular expression"),
        ("{alertname: 'A|B', runbook: r}", "looks like a regular expression"),
        ("{alertname: '=~Memory', runbook: r}", "looks like a regular expression"),
        ("{alertname: '^Oom', runbook: r}", "looks like a regular expression"),
        ("{alertname: 'Oom[Kk', runbook: r}", "its bracket does not end"),
        ("{alertname: A, labels: {env: '[!]'}, runbook: r}", "its bracket does not end"),
        ("{alertname: A, labels: {'my env': x}, runbook: r}", "a key of this is no name of a label"),
        ("{alertname: A, host_label: 'a b', runbook: r}", "is no name of a label: letters, digits"),
        ("{alertname: A, labels: {env: ''}, runbook: r}", "at least 1 character"),
        ("{alertname: '*', runbook: r}, {alertname: A, runbook: r}", "never reached"),
        ("{alertname: A, runbook: r}, {alertname: A, labels: {env: x}, runbook: r}", "never reached"),
        (
            "{alertname: A, labels: {env: '*'}, runbook: r}, {alertname: A, labels: {env: x}, runbook: r}",
            "never reached",
        ),
    ],
)
def test_patterns_that_would_never_match_are_said_before_an_alert_comes(
    tmp_path: Path, entries: str, told: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, f"alerts: [{entries}]\n")
    [problem] = caught.value.problems
    assert told in problem.message


def test_patterns_that_are_meant_are_taken(tmp_path: Path) -> None:
    entries = (
        "{alertname: 'Oom[Kk]ill', labels: {instance: 'web1.*', env: '[]a]'}, runbook: r}, {alertname: '*', runbook: r}"
    )
    assert len(read(tmp_path, f"alerts: [{entries}]\n").alerts) == 2


def test_what_a_receiver_needs_and_is_not_there_is_seen_beforehand(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    (tmp_path / "there").chmod(0o600)
    (tmp_path / "open").write_text("x")
    (tmp_path / "open").chmod(0o644)
    found = read(
        tmp_path,
        "notify:\n"
        "  - {name: a, way: webhook, url_file: gone}\n"
        "  - {name: b, way: command, command: [/no/such/program, x]}\n"
        "  - {name: c, way: apprise, urls_file: there}\n"
        "  - {name: d, way: command, command: [/bin/sh]}\n"
        "  - {name: e, way: webhook, url: 'https://a.example/', secret_file: open, ca_file: open}\n",
    ).notify
    gone, program, lies_open = not_ready(found)
    assert lies_open == (
        f"e is not told of anything: everybody may read secret_file {tmp_path}/open: chmod o= {tmp_path}/open"
    )
    assert gone == f"a is not told of anything: url_file {tmp_path}/gone is not there"
    assert program == "b is not told of anything: /no/such/program cannot be started"

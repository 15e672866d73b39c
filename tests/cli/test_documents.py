"""What a wrong runbook is answered with: the place, the mistake, the remedy; and nothing was tried."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.console import here

GOOD = """\
apiVersion: memrunbook/v1
name: good
title: A test
parameters:
  low: {type: number, default: 10.0}
  size: {type: size, default: 512 MiB}
sample: {count: 2, every: 200ms}
signals: [memory.available_percent]
checks:
  - id: memory-low
    name: Memory is low
    when: memory.available_percent < parameters.low
    severity: warning
incident: checks.memory_low
resolved: {that: memory.available_percent > 15.0, hold: 1s}
steps:
  - id: look
    name: Look
    action: run_check_command
    with: {command: [uptime], timeout: 10s}
  - id: swap-less
    name: Swap less
    action: set_sysctl
    with: {key: vm.swappiness, value: 10, for: 2h}
    when: checks.memory_low
"""
AVAILABLE = "memory.available_percent"
# What is replaced, by what, the place (line:column), the message, the hint.
WRONG = {
    "key": ("severity: warning", "severty: warning", "13:5", '"severty" is not known here', 'did you mean "severity"'),
    "metric": ("memory.available_percent <", "memory.avalable_percent <", "12:11", "unknown metric", AVAILABLE),
    "signal": ("[memory.available_percent]", "[memory.avialable_percent]", "8:11", "unknown metric", AVAILABLE),
    "check": ("incident: checks.memory_low", "incident: checks.memory_lo", "14:11", "memory_lo", "memory_low"),
    "action": ("action: set_sysctl", "action: set_sysctrl", "23:13", "unknown action", "did you mean 'set_sysctl'"),
    "parameter of an action": ("value: 10, for", "valu: 10, for", "24:", "no parameter 'valu'", "did you mean 'value'"),
    "parameter of the runbook": ("< parameters.low", "< parameters.lwo", "12:38", "parameters.lwo", "parameters.low"),
    "unit": ("for: 2h", "for: 2 hours", "24:48", "'2 hours' is no duration", "write a number and"),
    "no unit": ("every: 200ms", "every: 5", "7:27", "duration without a unit", '"5m"'),
    "size": ("default: 512 MiB", "default: 512 MB", "6:31", "'512 MB' is no size", "MiB"),
    "int for double": ("> 15.0", "> 15", "15:43", "int", "64.0"),
    "type": ("count: 2", "count: two", "7:17", "must be a whole number", ""),
    "type of a value": ("value: 10, for", "value: [10], for", "24:39", "must be", ""),
    "list for a mapping": ("sample: {count: 2, every: 200ms}", "sample: [2, 5s]", "7:9", "must be a mapping", ""),
    "choice": ("severity: warning", "severity: serious", "13:15", 'must be one of "critical", "info"', ""),
    "tag": ("title: A test", "title: !!python/name:os.system x", "3:8", "tags (!name) are not used here", "remove it"),
    "twice": ("title: A test", "title: A test\ntitle: B", "4:1", '"title" is given twice', "remove one"),
    "missing": ("title: A test\n", "", "1:1", '"title" is missing', ""),
    "tab": ("  low: {", "\tlow: {", "5:1", "a tab may not stand here", "spaces"),
    "comma in braces": (
        "{that: memory.available_percent > 15.0, hold: 1s}",
        "{that: max(memory.available_percent, 1.0) > 15.0}",
        "15:48", "has no value", "quotes",
    ),
    "leading !": ("when: checks.memory_low", "when: !checks.memory_low", "25:11", "!", "quotes"),
    "? and :": (
        "when: checks.memory_low",
        "when: pressure.supported ? pressure.full.percent > 1.0 : checks.memory_low",
        "25:", ":", "quotes",
    ),
    "#": ("when: checks.memory_low", "when: checks.memory_low && #x", "25:11", "begins a comment", "quotes"),
    "quotes": ("when: checks.memory_low", 'when: "a" == host.kernel', "25:", "", "quotes"),
    "&": ("when: checks.memory_low", "when: &checks.memory_low", "25:11", "cannot begin with &", "quotes"),
    "*": ("when: checks.memory_low", "when: *checks", "25:11", "*", "quotes"),
}  # fmt: skip


def _validate(folder: Path, content: str | bytes) -> tuple[str, list[str]]:
    file = folder / "bad.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    ran = here("validate", str(file))
    ran.plain()
    assert ran.code == 2, ran.said
    assert "Traceback" not in ran.said
    assert len(ran.said) < 30_000
    return ran.said, ["plan", str(file), "--host", "local"]


def test_the_runbook_that_is_spoilt_below_is_good(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    assert here("validate", str(tmp_path / "good.yaml")).code == 0


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_named_with_its_place_and_remedy(tmp_path: Path, case: str) -> None:
    old, new, place, message, hint = WRONG[case]
    assert old in GOOD
    said, plan = _validate(tmp_path, GOOD.replace(old, new, 1))
    assert f"bad.yaml:{place}" in said
    assert message in said
    assert hint in said.partition("hint: ")[2]
    tried = here(*plan)
    assert tried.code == 2
    assert f"bad.yaml:{place}" in tried.err
    assert tried.out == ""


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    spoilt = GOOD
    for case in ("metric", "action", "check", "signal"):
        old, new, *_ = WRONG[case]
        spoilt = spoilt.replace(old, new, 1)
    said, _ = _validate(tmp_path, spoilt)
    assert all(f"bad.yaml:{WRONG[case][2]}" in said for case in ("metric", "action", "check", "signal"))


BOMB = b"".join(b"%c: &%c [*%c, *%c]\n" % (c + 1, c + 1, c, c) for c in range(97, 118))
HOSTILE = {
    "large": (b"a: " + b"x" * (1 << 20), "larger than 1 MiB"),
    "many keys": (b"".join(b"k%d: 1\n" % number for number in range(20_000)), "not known here"),
    "deep list": (b"a: " + b"[" * 100_000, "nested deeper than"),
    "deep mapping": (b"{a: " * 100_000, "nested deeper than 32 levels"),
    "deep block": (b"".join(b" " * depth + b"a:\n" for depth in range(300)), "nested deeper than 32 levels"),
    "deep expression": (GOOD.replace("checks.memory_low\nresolved", "(" * 100_000 + "true\nresolved").encode(), ""),
    "alias bomb": (b"a: &a [x, x]\n" + BOMB, "anchors"),
    "tag": (b"!!python/object/apply:os.system ['touch /tmp/x']", "tags (!name) are not used here"),
    "no UTF-8": (b"apiVersion: memrunbook/v1\nname: \xff\xfe\n", "bad.yaml:2:7: the file is not UTF-8"),
    "control characters": (GOOD.replace("A test", "A \x1b[31mtest").encode(), "U+001B may not stand in a file"),
    "NUL": (b"name: \x00\n", "U+0000"),
    "two documents": (GOOD.encode() + b"---\n" + GOOD.encode(), "a second document begins here"),
    "empty": (b"", "must be a mapping"),
    "a list": (b"- a\n- b\n", "must be a mapping"),
    "a binary": (bytes(range(256)) * 100, "bad.yaml:"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_quickly_and_in_few_words(tmp_path: Path, case: str) -> None:
    content, message = HOSTILE[case]
    said, _ = _validate(tmp_path, content)
    assert message in said
    assert not Path("/tmp/x").exists() or case != "tag"


def test_what_vmstat_calls_a_metric_finds_it() -> None:
    told = here("facts", "si", "so", "bi", "bo", "--host", "local", "--every=0.1", "--json")
    names = [metric["name"] for metric in json.loads(told.out)["hosts"][0]["metrics"]]
    assert names == [
        "swap.in_bytes_per_second",
        "swap.out_bytes_per_second",
        "vmstat.page_in_bytes_per_second",
        "vmstat.page_out_bytes_per_second",
    ]
    assert " KiB/s)" in here("facts", "bi", "--host", "local", "--every=0.1").out


def test_a_mistake_in_a_name_is_answered_with_the_right_one() -> None:
    here("plan", "oom-evnt", "--host", "local").refused(2, "'oom-evnt'", hint="did you mean 'oom-event'?")
    here("dignose").refused(2, "'dignose'", hint="did you mean 'diagnose'?")
    here("facts", "--host", "local", "memroy").refused(2, "'memroy'", hint="memory")
    here("plan", "oom-event").refused(2, "no host was named", hint="--host local")
    here("plan", "oom-event", "--hots", "x").refused(2, "--hots", hint="--help")
    here("plan", "oom-event", "--host", "local", "-p", "nosuch=1").refused(2, "'nosuch'", hint="it has")
    here("plan", "oom-event", "--host", "a b").refused(2, "'a b'", hint="[user@]name[:port]")
    here("plan", "oom-event", "--host", "x", "--patience", "5").refused(2, "'5' is no duration", hint="5m")
    here("validate", "./nosuch.yaml").refused(2, "nosuch.yaml", "No such file", hint="")


@pytest.mark.parametrize("words", [(), ("audit",)])
def test_without_a_command_the_help_is_shown_as_it_is(words: tuple[str, ...]) -> None:
    ran = here(*words)
    assert ran.code == 2
    assert ran.err.startswith("Usage: runbook")
    assert "\\n" not in ran.err
    assert "Commands:" in ran.err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.yaml", "alerts: [{alertname: A, runbook: nosuch}]", "no runbook is called 'nosuch'"),
        ("config.yaml", "alerts: [{alertname: A, runbook: oom-event, allow: [frob]}]", "there is no action 'frob'"),
        ("config.yaml", "notifi: []", '"notifi" is not known here'),
        ("services.yaml", "services: 5", "services"),
        (
            "schedules.yaml",
            "schedules: [{name: a, every: 1h, runbook: r, hosts: h, unless_alerting: {url: 'http://p', alerts: a=x}}]",
            "its value stands in quotes",
        ),
    ],
)
def test_a_file_of_the_house_is_checked_as_what_its_name_says(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content)
    told = here("validate", str(tmp_path / name))
    assert told.code == 2
    assert said in told.out
    assert "apiVersion" not in told.out
    every = here("validate", "--config-dir", str(tmp_path))
    assert said in every.out

"""What config.yaml forbids, freezes, limits, wants to know and gives by default, as people meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.books import act, book
from tests.cli.console import Ran, here, terminal
from tests.holding import MIB, holding
from tests.sshd import Sshd

from memrunbook.app.braking import HostBrakes
from memrunbook.app.ruling import Freezes
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.instant import Instant
from memrunbook.core.plan.consents import Consents
from memrunbook.core.plan.freeze import FreezeWindow
from memrunbook.core.run.applied import ApprovedPlan
from memrunbook.state.plans import load_plan
from memrunbook.state.store.changes import Store

ALWAYS = """\
freeze:
  - name: nightly
    days: [mon, tue, wed, thu, fri, sat, sun]
    from: "00:00"
    until: "24:00"
    zone: Europe/Berlin
    why: the books are closed
"""
WHY = ("--reason", "INC-4711")
ONE = ("--allow", "run_command")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    return tmp_path / "config" / "config.yaml"


def command(folder: Path, word: str, *more: str, risks: tuple[str, ...] = ("low", "medium")) -> Ran:
    """A command for a runbook whose steps, one of each risk, add a line to a file; the incident stays."""
    steps = [act(f"{risk}-step", "sh", "-c", f"echo {risk} >> {folder / 'done'}", risk=risk) for risk in risks]
    path = book(folder, *steps, resolved="memory.available_percent > 100.0")
    where = [] if "--host" in more else ["--host", "local"]
    return here(word, path, *where, "--config-dir", str(folder / "config"), *more)


def done(folder: Path) -> list[str]:
    path = folder / "done"
    return path.read_text().split() if path.exists() else []


@pytest.mark.usefixtures("machine")
def test_a_target_that_is_listed_is_not_acted_on_whatever_is_allowed(tmp_path: Path, config: Path) -> None:
    config.write_text("untouchable:\n  - {process: done, why: the books}\n")
    plan = command(tmp_path, "plan")
    assert plan.code == 0, plan.said
    assert "2 refused. Nothing was changed." in plan.out
    assert "config.yaml:2 says that nothing may ever act on done, which the command names: the books" in plan.out
    ran = command(tmp_path, "run", "--yes", *ONE, "--allow", "again:run_command:x")
    ran.refused(5, "config.yaml:2 says that nothing may ever act on done", hint="no option and no gate lifts this")
    assert "REFUSED" in ran.out
    assert "To allow it" not in ran.out
    assert "The plan is saved" not in ran.out, "it would be refused again"
    assert done(tmp_path) == []


@pytest.mark.usefixtures("machine")
def test_what_is_above_the_highest_risk_is_left_out_and_the_rest_is_done(tmp_path: Path, config: Path) -> None:
    config.write_text("maximum_risk:\n  - {risk: low, modes: [run]}\n  - {risk: none, hosts: 'db*'}\n")
    ran = command(tmp_path, "run", "--yes", *ONE)
    ran.refused(5, "config.yaml:2 says that run goes up to risk low here: this is of risk medium", hint="a saved plan")
    assert done(tmp_path) == ["low"]
    saved = tmp_path / "plan.json"
    assert "0 refused" not in command(tmp_path, "plan", "--out", str(saved)).out
    applied = here("apply", str(saved), "--config-dir", str(config.parent))
    assert applied.code in (3, 5), applied.said  # the second change of the same within the cool-down needs a person
    assert "goes up to" not in applied.out
    assert done(tmp_path)[:2] == ["low", "low"]


@pytest.mark.usefixtures("machine")
def test_a_freeze_stops_changes_and_a_recorded_consent_goes_through(tmp_path: Path, config: Path) -> None:
    config.write_text(ALWAYS)
    plan = command(tmp_path, "plan")
    assert plan.code == 0, plan.said
    assert "NO CHANGES NOW: config.yaml:2 says that nothing is changed here until" in plan.out
    assert "--allow freeze:nightly" in plan.out
    frozen = json.loads(command(tmp_path, "plan", "--json").out)["freezes"]
    assert [(one["host"], one["name"]) for one in frozen] == [("local", "nightly")]
    ran = command(tmp_path, "run", "--yes", risks=("low",))
    ran.refused(5, "REFUSED", "freeze nightly: the books are closed", hint="--allow freeze:nightly --reason")
    assert done(tmp_path) == []
    command(tmp_path, "run", "--yes", "--allow", "freeze:nightly").refused(2, "needs a reason", hint="--reason")
    through = command(tmp_path, "run", "--yes", "--allow", "freeze:nightly", *WHY, risks=("low",))
    assert through.code == 3, through.said
    assert "nothing used" not in through.out
    assert done(tmp_path) == ["low"]
    told = here("report", "last").out
    assert "in the freeze nightly, by --allow freeze:nightly" in told
    assert "INC-4711" in told


def braked(folder: Path, now: list[Instant], **more: Any) -> HostBrakes:
    """The brakes of a run, at the time that is in `now`."""

    class Clock:
        def now(self) -> Instant:
            return now[0]

        def sleep(self, seconds: float) -> None:
            del seconds

    return HostBrakes(Store.open(folder, ""), Clock(), "R", "web", "book", "ada", **more)


def test_a_freeze_that_begins_in_mid_run_stops_the_next_effect(tmp_path: Path) -> None:
    window = FreezeWindow(name="soon", where="config.yaml:2", zone="UTC", begin=100.0, end=200.0)
    now = [Instant(99.0, 0.0)]
    change = Change(action="a", summary="", target="t", script=":", risk=Risk.LOW, repeat=Repeat.ONCE)
    brakes = braked(tmp_path, now, held=Freezes((window,), Consents()))
    assert brakes.forbids(change) is None
    now[0] = Instant(100.0, 0.0)
    refused = brakes.forbids(change)
    assert refused is not None
    assert "until 1970-01-01 00:03 UTC, in 100 s (freeze soon)" in str(refused)
    now[0] = Instant(200.0, 0.0)
    assert brakes.forbids(change) is None
    brakes.store.close()


def test_a_saved_plan_that_expires_in_mid_run_stops_the_next_effect(tmp_path: Path, config: Path) -> None:
    config.write_text("reason: optional\n")
    out = tmp_path / "plan.json"
    assert command(tmp_path, "plan", "--out", str(out)).code == 0
    saved = load_plan(out).saved
    plan, now = saved.plans[0], [saved.plans[0].taken_at]
    brakes, change = braked(tmp_path, now, approved=ApprovedPlan(plan, saved.digests[0])), plan.changes[0].change
    assert change is not None
    assert brakes.forbids(change) is None
    now[0] = Instant(plan.expires_at + 1, 0.0)
    refused = brakes.forbids(change)
    assert refused is not None
    assert "the plan has expired: approved: until" in str(refused)
    brakes.store.close()


def test_a_reason_is_asked_for_before_anybody_is_reached(tmp_path: Path, config: Path) -> None:
    config.write_text("reason: required\n")
    ran = command(tmp_path, "run", "--yes", "--host", "nobody.invalid")
    ran.refused(2, "config.yaml:1 asks for a reason, and none was given", hint="--reason")
    assert "--host nobody.invalid --reason" in ran.said, "the whole command, to be repeated"
    command(tmp_path, "run", "--reason", "  ", "--host", "nobody.invalid").refused(2, "asks for a reason", hint="run ")
    assert command(tmp_path, "run", *WHY, "--host", "nobody.invalid").code == 4


@pytest.mark.usefixtures("machine")
def test_at_a_terminal_the_reason_is_asked_for(tmp_path: Path, config: Path) -> None:
    config.write_text("reason: required\n")
    path = book(tmp_path, act("low", "true"), resolved="memory.available_percent > 100.0")
    with terminal("run", path, "--host", "local", "--config-dir", str(config.parent)) as screen:
        screen.expect("Why is this done?")
        screen.type("INC-7\n")
        screen.expect("y/N")
        screen.type("n\n")
        assert screen.wait() == 5
    assert "INC-7" in here("report", "last").out.split("Why")[1].splitlines()[0]


def test_every_freeze_that_holds_is_named_at_once() -> None:
    one, two = (
        FreezeWindow(name=name, where=f"config.yaml:{line}", zone="UTC", begin=0.0, end=100.0 * line)
        for name, line in (("one", 2), ("two", 3))
    )
    refused = Freezes((one, two)).frozen("web", 50.0)
    assert refused is not None
    assert "config.yaml:2 says" in str(refused)
    assert "config.yaml:3 says" in str(refused)
    assert "--allow freeze:one --allow freeze:two --reason" in refused.hint
    assert Freezes((one, two), Consents(["freeze:one", "freeze:two"])).frozen("web", 50.0) is None
    second = Freezes((one, two), Consents(["freeze:one"])).frozen("web", 50.0)
    assert second is not None
    assert "freeze:one" not in second.hint


@pytest.mark.parametrize(("risk", "code"), [("medium", 2), ("low", 2), ("high", 4)])
def test_a_reason_may_be_asked_for_by_risk(tmp_path: Path, config: Path, risk: str, code: int) -> None:
    config.write_text(f"reason: {risk}\n")
    path = book(tmp_path, COMPACT, resolved="false")
    ran = here("run", path, "--host", "nobody.invalid", "--config-dir", str(config.parent))
    assert ran.code == code, ran.said


COMPACT = """\
  - id: compact
    name: Compact
    action: compact_memory
"""
PREFER = """\
  - id: prefer
    name: Prefer it
    action: set_oom_score_adj
    with: {{pid: {pid}, value: 500}}
"""


@pytest.mark.usefixtures("machine")
def test_taking_back_goes_through_a_freeze_and_keeps_to_all_else(tmp_path: Path, config: Path) -> None:
    with holding(64 * MIB, b"victim") as victim:
        value = Path(f"/proc/{victim.pid}/oom_score_adj")
        value.write_text("0\n")
        path = book(tmp_path, PREFER.format(pid=victim.pid), resolved="false")
        then = ("--patience", "3s", "--config-dir", str(tmp_path))
        assert here("run", path, "--host", "local", "--yes", *then).code == 3
        assert value.read_text() == "500\n"
        undo = ("undo", "last", "--config-dir", str(config.parent), "--yes")
        planned = here(*undo, "--dry-run").out
        assert "--patience 3s" in planned, "the host is reached as the run did"
        assert f"--config-dir {config.parent}" in planned
        assert f"--config-dir {tmp_path} " not in planned, "the rules are those that were named now"
        config.write_text("reason: required\n")
        here(*undo).refused(2, "config.yaml:1 asks for a reason", hint="runbook undo last")
        config.write_text("untouchable:\n  - process: victim\n")
        here(*undo, "--dry-run").refused(
            0, "config.yaml:2 says that nothing may ever act on process victim", hint="no "
        )
        here(*undo).refused(5, "REFUSED", "config.yaml:2 says", hint="no option")
        first = json.loads(here("runs", "--json").out)["runs"][-1]["run_id"]
        undo = ("undo", first, *undo[2:])
        config.write_text("maximum_risk: [{risk: none, modes: [undo]}]\n")
        here(*undo).refused(5, "config.yaml:1 says that undo changes nothing here", hint="act by hand")
        assert value.read_text() == "500\n"
        config.write_text(ALWAYS)
        back = here(*undo)
        assert back.code == 0, back.said
        assert value.read_text() == "0\n"


def test_defaults_are_used_where_nothing_was_typed(tmp_path: Path, config: Path) -> None:
    (config.parent / "id").touch()
    config.write_text("defaults: {user: ops, port: 1, identity: id, forks: 3, sudo: never, patience: 2s}\n")
    here("facts", "memory", "--host", "127.0.0.1", "--config-dir", str(config.parent)).refused(4, "127.0.0.1", hint="")
    ran = command(tmp_path, "run", "--host", "127.0.0.1", "--yes")
    assert ran.code == 4
    begun = next((tmp_path / "state" / "runs").glob("*/run.jsonl")).read_text().splitlines()[0]
    (host,) = json.loads(begun)["order"]["hosts"]
    assert (host["user"], host["port"]) == ("ops", 1)
    command(tmp_path, "run", "--host", "ada@127.0.0.1:2", "--yes")
    named = max((tmp_path / "state" / "runs").glob("*/run.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    (host,) = json.loads(named.read_text().splitlines()[0])["order"]["hosts"]
    assert (host["user"], host["port"]) == ("ada", 2)


def test_a_server_is_reached_by_defaults_alone_and_what_is_typed_wins(sshd: Sshd, config: Path) -> None:
    config.write_text(f"""\
defaults:
  user: {sshd.user}
  port: {sshd.port}
  identity: {sshd.folder / "id"}
  known_hosts: {sshd.folder / "known_hosts"}
  ssh_config: {sshd.folder / "config"}
  sudo: never
""")
    words = ("facts", "memory.total_bytes", "--samples", "1", "--host", "127.0.0.1", "--config-dir", str(config.parent))
    ran = here(*words)
    assert ran.code == 0, ran.said
    assert "memory.total_bytes" in ran.out
    other = here(*words, "--known-hosts", "/dev/null")
    assert other.code == 4, other.said
    assert "host key" in other.said


@pytest.mark.parametrize("option", ["--identity", "--known-hosts", "--ssh-config"])
@pytest.mark.parametrize("words", [("facts",), ("diagnose",), ("plan", "memory-shortage"), ("run", "memory-shortage")])
def test_a_file_that_was_named_is_there(tmp_path: Path, option: str, words: tuple[str, ...]) -> None:
    ran = here(*words, "--host", "local", option, str(tmp_path / "mistyped"))
    ran.refused(2, f"{option} {tmp_path}/mistyped: there is no such file", hint="check the path")
    here(*words, "--host", "local", option, str(tmp_path)).refused(2, "this is a folder", hint="check the path")


BROKEN = {
    "a typing error": ("untuchable: []\n", "config.yaml:1:1", "did you mean"),
    "a zone that is none": (ALWAYS.replace("Berlin", "Berln"), "config.yaml:6:11", 'did you mean "Europe/Berlin"?'),
    "twice the same key": ("reason: required\nreason: optional\n", "config.yaml:2:1", ""),
    "nothing": ("", "config.yaml:1:1", ""),
    "a list": ("- reason\n", "config.yaml:1:1", ""),
    "no text": ("reason: \x00\n", "config.yaml:1:9", "remove it"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize(
    "words",
    [
        ("facts", "--host", "local"),
        ("diagnose", "--host", "local"),
        ("plan", "memory-shortage", "--host", "local"),
        ("run", "memory-shortage", "--host", "local"),
        ("undo", "last"),
        ("validate",),
    ],
    ids=lambda words: words[0],
)
def test_every_command_says_what_is_wrong_with_it(config: Path, name: str, words: tuple[str, ...]) -> None:
    text, where, hint = BROKEN[name]
    config.write_text(text)
    ran = here(*words, "--config-dir", str(config.parent))
    assert ran.code == 2, ran.said
    assert where in ran.said
    assert hint in ran.said
    assert "Traceback" not in ran.said


@pytest.mark.parametrize(
    ("word", "said", "hint"),
    [
        ("restart_unt:web.service", "there is no action 'restart_unt'", "did you mean restart_unit?"),
        ("web.service", "there is no action 'web.service'", "[again:]ACTION[:TARGET]"),
        ("", "there is no action ''", "ACTION"),
        ("restart_unit:", "its target is empty", "--allow restart_unit"),
        ("restart_unit: ", "its target is empty", "--allow restart_unit"),
        ("compact_memory:node0", "it acts on memory alone", "--allow compact_memory"),
        ("again:", "which change may be repeated is not said", "again:ACTION:TARGET"),
        ("again:restart_unit", "which change may be repeated is not said", "again:restart_unit:TARGET"),
        ("agin:restart_unit:x", "there is no action 'agin'", "did you mean again?"),
        ("freeze:nightly", "there is no freeze 'nightly'", "config.yaml names none"),
        ("\x1b[31m", "there is no action", "ACTION"),
    ],
)
def test_a_word_that_can_never_count_is_told_before_anything_is_done(word: str, said: str, hint: str) -> None:
    for words in (("run", "memory-shortage", "--host", "nobody.invalid"),):
        ran = here(*words, "--allow", word)
        ran.refused(2, said, hint=hint)
        assert "\x1b" not in ran.said


def test_undo_repeats_nothing_and_apply_takes_freezes_alone(tmp_path: Path) -> None:
    here("undo", "last", "--allow", "again:restart_unit:x").refused(2, "undo repeats nothing", hint="leave again: out")
    plan = tmp_path / "plan.json"
    here("apply", str(plan), "--allow", "restart_unit").refused(2, "says itself what is allowed", hint="freeze:NAME")


@pytest.mark.usefixtures("machine")
def test_what_nothing_used_is_said_and_changes_no_code(tmp_path: Path, config: Path) -> None:
    del config
    words = ("--yes", "--allow", "restart_unit:web.service", *ONE)
    ran = command(tmp_path, "run", *words, risks=("medium",))
    assert ran.code == 3, ran.said
    assert "nothing used --allow restart_unit:web.service\n" in ran.out
    assert "--allow restart_unit:web.service" in here("report", "last").out.split("Unused")[1]
    summary = json.loads(command(tmp_path, "run", *words, "--json", risks=("low",)).out.splitlines()[-1])
    assert summary["unused"] == ["restart_unit:web.service"]


@pytest.mark.usefixtures("machine")
def test_the_administrators_rules_bind_whoever_brings_a_folder(tmp_path: Path, config: Path) -> None:
    config.write_text("reason: optional\n")
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "signers").touch()
    (etc / "config.yaml").write_text("approvals: [{people: 2, risk: medium}]\nallowed_signers: signers\n")
    refused = command(tmp_path, "run", "--yes", *ONE, risks=("medium",))
    assert refused.code == 5, refused.said
    assert "asks for the approval of 2 people other than you" in refused.out
    (etc / "config.yaml").write_text("reason: required\n")
    where = f"{etc}/config.yaml:1 asks for a reason"
    command(tmp_path, "run", "--yes", *ONE).refused(2, where, hint="--reason")
    (etc / "config.yaml").chmod(0o666)
    command(tmp_path, "run", *WHY).refused(2, "everybody may write it", hint="chmod o-w")
    assert done(tmp_path) == []

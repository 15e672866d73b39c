from __future__ import annotations

from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.action.action import Undo
from memrunbook.core.errors import UsageError
from memrunbook.core.plan.diagnosis import CheckState
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.run.report import HostReport
from memrunbook.core.runbook.condition import Evidence, Verdict
from memrunbook.ui.block import Block, Grid, line
from memrunbook.ui.diagnosis import diagnosis_view
from memrunbook.ui.errors import error_view
from memrunbook.ui.facts import facts_view
from memrunbook.ui.findings import finding_entries
from memrunbook.ui.gate import details_view, gate_view
from memrunbook.ui.layout import lay_out
from memrunbook.ui.plan import plan_end, plan_view
from memrunbook.ui.report import report_view
from memrunbook.ui.trouble import lower


def drawn(blocks: list[Block]) -> list[str]:
    return ["".join(span.text for span in content).rstrip() for content in lay_out(blocks, None)]


def test_an_incident_without_a_suspect_is_told_by_its_worst_check() -> None:
    shown = drawn(diagnosis_view(s.diagnosis(s.SHORTAGE, primary="memory-shortage"), s.snapshot(), now=s.NOW))
    assert shown[0] == (
        "WARNING: memory shortage on search-03: little memory is available; next: runbook plan memory-shortage "
        "--host search-03"
    )
    assert not any(line.startswith("Cause") for line in shown)


def test_a_plan_with_nothing_to_do_says_so_first() -> None:
    entry = s.runbook_diagnosis(causes=())
    assert drawn(plan_view(entry, s.plan(s.NOT_RUN[1]), s.snapshot(), "", s.NOW))[0] == (
        "SWAP THRASHING: swap is read and written at the same time on search-03; no step is needed"
    )


def test_an_abbreviation_keeps_its_capitals() -> None:
    assert (lower("OOM event"), lower("Swap is full")) == ("OOM event", "swap is full")


def test_a_runbook_that_does_not_apply_is_named_and_an_unread_metric_is_shown() -> None:
    unread = structs.replace(s.THRASHING, severity="info", evidence=(Evidence("pressure.full.percent", None, "%"),))
    entry = structs.replace(
        s.runbook_diagnosis("fails", findings=(unread,)), runbook="kernel-tuning", title="Kernel parameters"
    )
    shown = drawn(plan_view(entry, s.plan(s.NOT_RUN[1]), s.snapshot(), "", s.NOW))
    assert shown[0] == "OK: kernel-tuning does not apply to search-03; nothing to do"
    assert any(line.endswith("pressure full not read") for line in shown)


def test_a_blocked_step_behind_a_change_is_decided_again() -> None:
    blocked = structs.replace(s.plan(*s.NOT_RUN).steps[0], provisional=True)
    shown = drawn(plan_view(s.runbook_diagnosis(), s.plan(s.step(), blocked), s.snapshot(), "", s.NOW))
    assert any(line.endswith("provisional: decided again on what step 1 leaves") for line in shown)


def test_high_risk_and_an_offered_undo_are_said_in_the_plan() -> None:
    kill = structs.replace(s.SPARED, undo=Undo("bring it back", "", mode="offer"))
    shown = drawn(plan_view(s.runbook_diagnosis(), s.plan(s.step(kill)), s.snapshot(), "", s.NOW))
    assert any(line.endswith("high     gate: type its name   undo: offered") for line in shown)


def test_a_gate_with_little_to_show_shows_little() -> None:
    bare = structs.replace(s.question(s.step(s.EVIDENCE, verify="", name="Look")), evidence=(("one", ()),))
    shown = drawn(gate_view(s.HOST, bare, s.NOW))
    assert "Because    one" in shown
    assert "Proven by  the command's own exit status" in shown
    nothing = structs.replace(bare, step=s.plan(*s.NOT_RUN).steps[0])
    assert not any(line.startswith("Command") for line in drawn(gate_view(s.HOST, nothing, s.NOW)))
    assert drawn(details_view(nothing)) == ["", "Evidence", "  one"]
    assert "Because    no check fires" in drawn(gate_view(s.HOST, structs.replace(bare, evidence=()), s.NOW))


def test_a_gate_shows_what_runs_in_one_line_and_the_script_only_when_asked() -> None:
    restart = s.change(command="systemctl restart --no-ask-password -- x.service")
    shown = drawn(gate_view(s.HOST, s.question(s.step(restart)), s.NOW))
    at = shown.index("Command    systemctl restart --no-ask-password -- x.service")
    assert shown[at + 1].startswith("           at most 3 min; d shows the script, sha256:")
    assert shown[at + 2].startswith("Costs      ")
    details = drawn(details_view(s.question(s.step(restart))))
    assert '    child systemctl restart --no-ask-password -- "$1" || unit_journal "$1"' in details
    assert f"  $1 = {s.GROWER}" in details


def test_a_command_without_a_line_for_people_is_shown_by_the_beginning_of_its_script() -> None:
    shown = drawn(gate_view(s.HOST, s.question(s.step(s.change(command="", script="one\ntwo\n"))), s.NOW))
    at = shown.index("Command    one")
    assert shown[at + 1 : at + 3] == ["           two", f"           $1 = {s.GROWER}"]
    many = s.change(command="", script="\n".join("abcdefgh"))
    shown = drawn(gate_view(s.HOST, s.question(s.step(many)), s.NOW))
    assert "           f" in shown
    assert "           g" not in shown
    assert "           2 more lines" in shown


def test_a_gate_tells_of_many_values_those_with_a_unit_and_details_tell_all() -> None:
    asked = structs.replace(s.question(), evidence=((s.GROWER, s.GROWS),))
    [because] = [line for line in drawn(gate_view(s.HOST, asked, s.NOW)) if line.startswith("Because")]
    assert because == (
        "Because    search-api.service: memory 40.0 GiB, anonymous 38.2 GiB, file 1.0 GiB, swap 2.0 GiB, "
        "memory 62.8 %, growth 3.5 MiB/s, 3 more"
    )
    details = drawn(details_view(asked))
    assert "    main_pid                 48121" in details
    assert sum(line.startswith("    ") for line in details[: details.index("Script")]) == len(s.GROWS)


def test_details_say_why_a_value_is_missing() -> None:
    asked = structs.replace(s.question(), evidence=(("wanted", s.AT_LIMIT.evidence),))
    assert "    cgroups.at_limit  not read: memory.events: permission denied" in drawn(details_view(asked))


def test_a_proof_stands_beside_the_values_that_it_was_given() -> None:
    proof = (
        "memory.available_percent > parameters.available_target && units.failed_count == 0, held for 90 s, within 3 min"
    )
    shown = [
        *drawn(gate_view(s.HOST, s.question(), s.NOW)),
        *drawn(plan_view(s.runbook_diagnosis(), s.plan(s.step()), s.snapshot(), "", s.NOW)),
    ]
    assert f"Proven by  {proof} (available_target = 15.0)" in shown
    assert [line.strip() for line in shown if "verify" in line] == [f"verify  {proof} (available_target = 15.0)"]
    bare = drawn(gate_view(s.HOST, s.question(s.step(given={})), s.NOW))
    assert f"Proven by  {proof}" in bare


def test_an_offered_undo_is_not_done_by_itself() -> None:
    offered = structs.replace(s.SYSCTL, undo=Undo("vm.swappiness back to 60", "", mode="offer"), back_after=0.0)
    shown = drawn(gate_view(s.HOST, s.question(s.step(offered)), s.NOW))
    assert "Undo       yes: vm.swappiness back to 60, offered, not done by itself" in shown


def test_a_list_that_could_not_be_read_says_why_and_an_empty_one_has_no_table() -> None:
    swap = s.snapshot().readings["swap"]
    assert isinstance(swap, s.SwapFact)
    empty = structs.replace(swap, devices=[])
    gone = structs.replace(swap, devices=None, unavailable={"devices": Unavailable("denied", "permission denied")})
    for reading, said in ((empty, "  swap.devices: 0  the areas"), (gone, "  swap.devices: denied: permission denied")):
        host = structs.replace(s.snapshot(), readings={"swap": reading})
        assert said in drawn(facts_view(host, s.metrics(), s.NOW))


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = UsageError("there is no host", where="hosts.yaml:3:1", hint="add one")
    assert drawn(error_view(error)) == ["error: hosts.yaml:3:1: there is no host", "  hint: add one"]
    assert error_view(None) == []


def _healthy(state: CheckState) -> HostReport:
    """No incident; all checks say the same."""
    report = s.report("healthy")
    assert report.begun is not None
    told = report.begun.diagnosis
    findings = tuple(structs.replace(finding, state=state) for finding in told.findings)
    begun = structs.replace(report.begun, diagnosis=structs.replace(told, findings=findings))
    return structs.replace(report, begun=begun, steps=(), before={}, after={}, why="the incident does not apply")


def test_a_report_tells_what_was_found_where_there_is_no_incident() -> None:
    shown = drawn(report_view(_healthy("firing"), s.RUN))
    assert shown[2] == "Found, though the incident does not apply:"
    assert [line.split()[0] for line in shown[3:7]] == ["CRITICAL", "warning", "warning", "info"]
    assert not [line for line in drawn(report_view(_healthy("unknown"), s.RUN)) if line.startswith("Found")]


def test_a_report_without_steps_or_signals_is_its_verdict_and_its_record() -> None:
    shown = drawn(report_view(_healthy("clear"), s.RUN))
    assert shown[0] == ("HEALTHY: swap-thrashing on search-03; the incident does not apply; nothing was changed")
    assert len(shown) == 5


def test_what_is_unknown_without_a_missing_metric_has_no_hint() -> None:
    odd = structs.replace(s.AT_LIMIT, evidence=(), why="it cannot be computed: division by zero")
    entry = s.runbook_diagnosis(findings=(odd,), incident=Verdict("unknown"))
    shown = drawn(plan_view(entry, s.plan(), s.snapshot(), "", s.NOW))
    assert shown[0] == (
        "UNKNOWN: whether swap-thrashing applies could not be judged: its checks are unknown; nothing would be changed"
    )
    assert not any("hint:" in line for line in shown)


def test_what_is_unknown_for_one_reason_says_it_once() -> None:
    other = structs.replace(s.AT_LIMIT, name="A cgroup was at its limit")
    missing = structs.replace(s.AT_LIMIT, name="A page was lost", evidence=(Evidence("memory.no_such", None, "count"),))
    entries = finding_entries([s.AT_LIMIT, missing, other], s.snapshot())
    assert drawn([Grid(tuple(entries))]) == [
        "  unknown  A cgroup is at its limit",
        "  unknown  A cgroup was at its limit",
        "           memory.events: permission denied",
        "           hint: allow reads as root for this host (sudo)",
        "  unknown  A page was lost",
        "           not offered by this host",
    ]


def test_a_reason_of_several_steps_is_said_once() -> None:
    why = "restart_unit is unknown: units: systemctl could not be run"
    steps = [structs.replace(s.NOT_RUN[0], id=name, why=why, hint="sudo") for name in ("one", "two")]
    shown = "\n".join(drawn(plan_view(s.runbook_diagnosis(), s.plan(*steps), s.snapshot(), "", s.NOW)))
    assert shown.count(why) == 1
    assert shown.count("as step 1") == 1
    other = structs.replace(steps[1], why="it is set")
    again = "\n".join(drawn(plan_view(s.runbook_diagnosis(), s.plan(steps[0], other), s.snapshot(), "", s.NOW)))
    assert "as step 1" not in again


def test_a_plan_that_others_approve_says_first_how_and_then_how_it_is_applied() -> None:
    approve = [line("To be approved first:  runbook approve p.json")]
    shown = drawn(plan_end(s.plan(s.step()), "runbook apply p.json", s.NOW, "p.json", approve))
    assert [words.partition(":")[0].split()[0] for words in shown[1:]] == ["Saved", "To", "To"]
    assert "approve" in shown[2]
    assert "apply" in shown[3]
    nothing = drawn(plan_end(s.plan(s.NOT_RUN[1]), "x", s.NOW, "p.json", approve))
    assert not [words for words in nothing if "approve" in words]


def test_signals_that_did_not_move_are_told_once() -> None:
    still = structs.replace(s.report("resolved", before={"swap.used_percent": 4.5}), after={"swap.used_percent": 4.5})
    shown = "\n".join(drawn(report_view(still, s.RUN)))
    assert shown.count("4.5 %") == 1
    assert "before and after" in shown
    moved = structs.replace(still, after={"swap.used_percent": 3.5})
    assert "before and after" not in "\n".join(drawn(report_view(moved, s.RUN)))


def test_after_which_step_it_was_resolved_is_said_once() -> None:
    done = s.report("resolved", s.finished(), why="resolved after step restart-grower")
    first = drawn(report_view(done, s.RUN))[0]
    assert first.count("restart-grower") == 1, first
    assert first.count("after") == 1, first


def test_who_was_looked_at_is_said_once() -> None:
    seen = "20 services seen, the largest, worker.service, holds 560.1 MiB (119.2 %)"
    whys = (f"no service that may be frozen: {seen}", f"no service that may be stopped: {seen}")
    steps = [structs.replace(s.NOT_RUN[1], id=f"s{n}", why=why) for n, why in enumerate(whys)]
    shown = "\n".join(drawn(plan_view(s.runbook_diagnosis(), s.plan(*steps), s.snapshot(), "", s.NOW)))
    assert shown.count(seen) == 1
    assert "no service that may be stopped: seen were the same as for step 1" in shown

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import Interrupted
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.ui.approve import ConsentThenAsk, TerminalApprover, UnattendedApprover
from memrunbook.ui.screen import Screen

LOW, MEDIUM, HIGH = s.step(s.SYSCTL), s.step(), s.step(s.SPARED)
TWENTY = tuple(f"search-{n:02}" for n in range(1, 21))


def typing(*lines: str) -> Callable[[], str]:
    left = [f"{line}\n" for line in lines]
    return lambda: left.pop(0) if left else ""


def asked(
    step: PlannedStep, *typed: str, hosts: tuple[str, ...] = (s.HOST,), changed: str = ""
) -> tuple[Approval, str]:
    stream = io.StringIO()
    approver = TerminalApprover(
        Screen("never", stream), typing(*typed), lambda: s.NOW, "ada", hosts, {s.HOST: "role x"}
    )
    return approver.approve(s.HOST, s.question(step, changed)), stream.getvalue()


@pytest.mark.parametrize("step", [LOW, MEDIUM, HIGH])
@pytest.mark.parametrize(
    ("typed", "answer"),
    [("", "no"), ("n", "no"), ("No", "no"), ("N", "no"), ("s", "skip"), ("q", "quit"), ("Q", "quit-all")],
)
def test_enter_alone_and_every_key_but_yes_let_nothing_through(step: PlannedStep, typed: str, answer: str) -> None:
    approval, _ = asked(step, typed, typed, typed)
    assert approval.answer == answer
    assert approval.why


@pytest.mark.parametrize("step", [LOW, MEDIUM])
@pytest.mark.parametrize("typed", ["y", "Y", "yes", " y "])
def test_yes_is_enough_up_to_medium_on_one_host(step: PlannedStep, typed: str) -> None:
    approval, _ = asked(step, typed)
    assert approval == Approval(s.NOW, "yes", step.digest, "ada", "terminal")


def test_low_risk_needs_no_host_name_on_many_hosts() -> None:
    assert asked(LOW, "y", hosts=TWENTY)[0].answer == "yes"


@pytest.mark.parametrize(("typed", "answer"), [("search-03", "yes"), ("", "no"), ("search-04", "no"), ("y", "no")])
def test_medium_risk_on_many_hosts_needs_the_name_of_this_host(typed: str, answer: str) -> None:
    approval, shown = asked(MEDIUM, "y", typed, hosts=TWENTY)
    assert approval.answer == answer
    assert "host 3 of 20, role x" in shown
    assert "Type search-03 to go on" in shown
    assert "It is one host of 20, and users may notice: say which." in shown


@pytest.mark.parametrize("typed", ["y", "yes", "812", "PID 812", s.HOST])
def test_high_risk_is_not_let_through_by_anything_but_the_name_of_its_target(typed: str) -> None:
    approval, _ = asked(HIGH, typed, typed, typed)
    assert (approval.answer, approval.why) == ("no", "no clear answer in 3 attempts")


def test_high_risk_is_let_through_by_the_name_of_its_target() -> None:
    assert asked(HIGH, "pid 812")[0].answer == "yes"
    assert asked(HIGH, "pid 812", s.HOST, hosts=TWENTY)[0].answer == "yes"
    assert asked(HIGH, "pid 812", "", hosts=TWENTY)[0].answer == "no"


def test_a_target_without_a_visible_name_needs_the_host_name() -> None:
    blank = s.step(s.change(target="  ", risk=Risk.HIGH))
    assert asked(blank, "y", "", "y")[0].answer == "no"
    assert asked(blank, s.HOST)[0].answer == "yes"


def test_a_hostile_name_is_typed_as_it_is_shown() -> None:
    step = s.step(s.change(target=s.HOSTILE, risk=Risk.HIGH))
    shown_name = (
        s.HOSTILE.encode("ascii", "backslashreplace").decode().replace("\x1b", "\\x1b").replace("\x07", "\\x07")
    )
    shown_name = shown_name.replace("\r", "\\r").replace("\n", "\\n")
    approval, shown = asked(step, shown_name)
    assert approval.answer == "yes"
    assert f"Type {shown_name} to go on" in shown
    assert "\x1b" not in shown


def test_the_end_of_the_input_is_a_refusal_that_says_why() -> None:
    approval, _ = asked(MEDIUM)
    assert (approval.answer, approval.why) == ("no", "stdin was closed")


def test_ctrl_c_at_the_gate_interrupts() -> None:
    def interrupt() -> str:
        raise KeyboardInterrupt

    approver = TerminalApprover(Screen("never", io.StringIO()), interrupt, lambda: s.NOW, "ada", (s.HOST,))
    with pytest.raises(Interrupted):
        approver.approve(s.HOST, s.question(MEDIUM))


def test_what_other_hosts_say_after_ctrl_c_does_not_stand_behind_the_question() -> None:
    def interrupt() -> str:
        raise KeyboardInterrupt

    stream = io.StringIO()
    approver = TerminalApprover(Screen("never", stream), interrupt, lambda: s.NOW, "ada", (s.HOST, "web2"))
    with pytest.raises(Interrupted):
        approver.approve(s.HOST, s.question(LOW))
    assert stream.getvalue().endswith("\n")


def test_details_show_the_whole_script_and_all_evidence_then_the_question_comes_again() -> None:
    approval, shown = asked(LOW, "d", "d", "d", "d", "y")
    assert approval.answer == "yes"
    assert '\n  act "$@"\n' in shown
    assert "memory.available_percent  3.1 %\n" in shown
    assert LOW.digest in shown
    assert shown.count("y/N") == 5


def test_the_gate_says_what_moved_since_it_was_asked_before() -> None:
    _, shown = asked(MEDIUM, "y", changed="it was: A; now it would be: B")
    assert "Changed    it was: A; now it would be: B\n" in shown


def consent(*allow: str, yes: bool = False) -> UnattendedApprover:
    return UnattendedApprover(yes, allow, lambda: s.NOW, "ada")


@pytest.mark.parametrize(
    ("step", "allow", "yes", "how"),
    [
        (LOW, (), True, "--yes"),
        (s.STEPS[0], (), True, "--yes"),
        (LOW, ("set_sysctl",), False, "--allow set_sysctl"),
        (MEDIUM, ("restart_unit",), False, "--allow restart_unit"),
        (MEDIUM, (f"restart_unit:{s.GROWER}",), False, f"--allow restart_unit:{s.GROWER}"),
        (HIGH, ("set_oom_score_adj:pid 812",), False, "--allow set_oom_score_adj:pid 812"),
    ],
)
def test_consent_covers_what_it_names(step: PlannedStep, allow: tuple[str, ...], yes: bool, how: str) -> None:  # noqa: FBT001  a parameter of the table
    approval = consent(*allow, yes=yes).approve(s.HOST, s.question(step))
    assert approval == Approval(s.NOW, "yes", step.digest, "ada", how)


@pytest.mark.parametrize(
    ("step", "allow", "yes", "option"),
    [
        (LOW, (), False, "needs --yes or --allow set_sysctl:vm.swappiness"),
        (MEDIUM, (), True, f"needs --allow restart_unit:{s.GROWER}"),
        (MEDIUM, ("restart_unit:other.service", "stop_unit"), True, f"needs --allow restart_unit:{s.GROWER}"),
        (HIGH, ("set_oom_score_adj", "set_oom_score_adj:pid"), True, "needs --allow 'set_oom_score_adj:pid 812'"),
    ],
)
def test_other_consent_refuses_and_says_what_would_allow_it(
    step: PlannedStep, allow: tuple[str, ...], yes: bool, option: str  # noqa: FBT001  a parameter of the table
) -> None:  # fmt: skip
    approval = consent(*allow, yes=yes).approve(s.HOST, s.question(step))
    assert (approval.answer, approval.how) == ("no", "none")
    assert approval.why.endswith(option)


def test_there_is_nothing_to_allow_where_nothing_would_change() -> None:
    approval = consent("restart_unit", yes=True).approve(s.HOST, s.question(s.plan(*s.NOT_RUN).steps[0]))
    assert approval.answer == "no"


@pytest.mark.parametrize("allow", [("set_sysctl:vm.swappiness",), ("set_sysctl",), ()])
def test_no_consent_given_before_takes_back_what_may_cost_more_than_it_did(allow: tuple[str, ...]) -> None:
    offered = structs.replace(s.question(LOW), offered=True)
    approval = consent(*allow, yes=True).approve(s.HOST, offered)
    assert (approval.answer, approval.how) == ("no", "none")
    assert approval.why == "taking it back may cost more than it did, and nobody can be asked here"
    terminal = TerminalApprover(Screen("never", io.StringIO()), typing("y"), lambda: s.NOW, "ada", (s.HOST,))
    assert ConsentThenAsk(consent(*allow, yes=True), terminal).approve(s.HOST, offered).how == "terminal"


def test_what_was_allowed_is_not_asked_and_everything_else_is() -> None:
    stream = io.StringIO()
    terminal = TerminalApprover(Screen("never", stream), typing("s"), lambda: s.NOW, "ada", (s.HOST,))
    both = ConsentThenAsk(consent(yes=True), terminal)
    assert both.approve(s.HOST, s.question(LOW)).how == "--yes"
    assert stream.getvalue() == ""
    assert both.approve(s.HOST, s.question(MEDIUM)).answer == "skip"


def looked_at() -> AskApproval:
    return structs.replace(s.question(MEDIUM), looks=(s.LOOKED,))


def test_what_is_unknown_is_let_happen_again_by_its_own_word_alone() -> None:
    question = looked_at()
    word = f"restart_unit:{s.GROWER}"
    assert question.again == f"again:{word}"
    plain = UnattendedApprover(True, ["restart_unit", word], lambda: s.NOW, "ada").approve(s.HOST, question)
    assert (plain.answer, plain.again) == ("no", "")
    assert plain.why == (
        f"run {s.IN_FLIGHT.run} began it, and how that ended is unknown; look at the host, then repeat it with "
        f"--allow again:{word}"
    )
    own = UnattendedApprover(False, [f"again:{word}"], lambda: s.NOW, "ada").approve(s.HOST, question)
    assert (own.answer, own.again, own.how) == ("yes", question.again, f"--allow again:{word}")
    unneeded = UnattendedApprover(False, [f"again:{word}"], lambda: s.NOW, "ada").approve(s.HOST, s.question(MEDIUM))
    assert (unneeded.answer, unneeded.again) == ("yes", "")
    for one in (question, s.question(MEDIUM)):
        limited = structs.replace(one, limits=("9 times in 7 days",))
        beyond = UnattendedApprover(False, [f"again:{word}"], lambda: s.NOW, "ada").approve(s.HOST, limited)
        assert (beyond.answer, "9 times in 7 days" in beyond.why) == ("no", True), "that word goes beyond no limit"


def test_at_a_terminal_that_word_is_typed() -> None:
    question = looked_at()
    for typed, answer, again in (("y", "no", ""), (question.again, "yes", question.again)):
        screen = Screen("never", io.StringIO())
        approver = TerminalApprover(screen, typing(typed), lambda: s.NOW, "ada", (s.HOST,))
        approval = approver.approve(s.HOST, question)
        assert (approval.answer, approval.again) == (answer, again)


def test_of_several_looks_only_an_open_once_only_one_needs_the_word() -> None:
    done = structs.replace(s.LOOKED, found="failed")
    for looks in ((done,), (structs.replace(s.LOOKED, once=False),)):
        assert structs.replace(s.question(MEDIUM), looks=looks).again == ""
    none = structs.replace(s.question(structs.replace(MEDIUM, change=None)), looks=(s.LOOKED,))
    assert none.again == ""

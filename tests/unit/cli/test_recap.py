"""What the last page of a run says to type next: never more hosts, and never other words, than the run had."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click
import pytest
from msgspec import structs
from tests.golden import samples as s

from memrunbook.app.run_arguments import RunResult
from memrunbook.cli.commands import resume, run
from memrunbook.cli.formats import format_of
from memrunbook.cli.next_command import begun_words
from memrunbook.cli.options import OutputOptions
from memrunbook.cli.recap import Again, recap_page, show_end
from memrunbook.cli.reply import Reply
from memrunbook.core.errors import JournalError
from memrunbook.core.host import Host, parse_hosts
from memrunbook.core.run.batches import Rollout
from memrunbook.core.run.record import Order
from memrunbook.core.run.report import HostReport, Reported
from memrunbook.documents.printed.run import run_summary
from memrunbook.ui.block import line
from memrunbook.ui.layout import lay_out

TEXT = OutputOptions(color="never", verbose=False, format=format_of("text"))
HOSTS = tuple(parse_hosts(["ada@web1:2222,web2,web3"]))
ORDER = Order(
    runbook="/srv/mine.yaml",
    hosts=tuple(structs.replace(host, transport="openssh", tags=("quorum", host.name)) for host in HOSTS),
    parameters={"unit": "api.service", "floor": "10 %"},
    watch=90.0,
    rollout=Rollout(serial=("1", "10%"), max_failures="3", retry_file="/tmp/left"),
)


STOP = "To go on with this run"


def report(host: str, outcome: Reported) -> HostReport:
    return HostReport(host=host, outcome=outcome, steps=(s.finished(),))


def advice(  # noqa: PLR0913  what a page depends on
    command: click.Command,
    words: Sequence[str],
    ends: Sequence[Reported],
    again: Again | None,
    *,
    resumes: bool = True,
    stopped: bool = False,
) -> dict[str, list[str]]:
    """The commands that the page names, in words, by what it says before them."""
    reports = [report(host.name, outcome) for host, outcome in zip(HOSTS, ends, strict=True)]
    with command.make_context(command.name, list(words)):
        page = recap_page(RunResult(s.RUN, tuple(reports), stopped=stopped), TEXT, again, HOSTS, resumes=resumes)
    lines = ["".join(span.text for span in content) for content in lay_out(page, None)]
    told = [line.partition(":  ") for line in lines if ":  runbook " in line]
    return {what: shlex.split(typed) for what, _, typed in told}


RUN_AGAIN, GO_ON = "To run it again on these hosts", "To go on where a host was lost"


def test_it_is_run_again_on_who_did_not_end_well_with_what_was_typed() -> None:
    words = ["book", "--host", "web[1:3]", "-p", "floor=10 %", "--serial", "1,50%", "--yes", "--watch", "90s"]
    told = advice(run.command, words, ["failed", "resolved", "refused"], Again("book"))
    typed = ["--serial", "1,50%", "--watch", "90s", "-p", "floor=10 %", "--yes"]
    assert told[RUN_AGAIN][:5] == ["runbook", "run", "book", "--host", "ada@web1:2222,web3"]
    assert sorted(told[RUN_AGAIN][5:]) == sorted(typed)
    assert told[RUN_AGAIN][-1] == "--yes", "whoever copies half of it says yes to nothing without its limits"


def test_limits_stand_before_consent_wherever_they_come_from() -> None:
    words, again = ["20260101T000000Z-abcd", "--yes", "--allow", "drop_caches"], Again("book", begun_words(ORDER))
    told = advice(resume.command, words, ["failed", "resolved", "resolved"], again)[RUN_AGAIN]
    limits, consent = (
        [told.index(word) for word in some] for some in (("--serial", "--max-failures"), ("--yes", "--allow"))
    )
    assert max(limits) < min(consent)


@pytest.mark.parametrize(
    ("ends", "named"),
    [
        (("failed", "resolved", "not_begun"), {RUN_AGAIN: "@left"}),
        (("unreachable", "resolved", "failed"), {RUN_AGAIN: "web3", GO_ON: s.RUN}),
        (("unreachable", "resolved", "healthy"), {GO_ON: s.RUN}),
        (("restored", "resolved", "healthy"), {}),
    ],
)
def test_the_file_of_all_who_are_left_stands_for_them_unless_a_lost_host_is_in_it(
    ends: Sequence[Reported], named: dict[str, str]
) -> None:
    told = advice(run.command, ["book", "--host", "web[1:3]", "--retry-file", "left"], ends, Again("book"))
    found = {what: words[4] if what == RUN_AGAIN else words[2] for what, words in told.items()}
    assert found == named


def test_after_a_resume_it_is_the_run_that_was_begun() -> None:
    again = Again(ORDER.runbook, begun_words(ORDER), ORDER.rollout.retry_file)
    words = advice(resume.command, ["last", "--yes"], ["failed", "resolved", "refused"], again)[RUN_AGAIN]
    assert words[:2] == ["runbook", "run"]
    typed = run.command.make_context("run", words[2:]).params
    assert (typed["name"], typed["host"]) == ("/srv/mine.yaml", ("@/tmp/left",))
    assert typed["parameters"] == ("unit=api.service", "floor=10 %")
    assert (typed["watch"], typed["serial"], typed["max_failures"]) == ("90s", "1,10%", "3")
    assert (typed["transport"], typed["tag"], typed["yes"]) == ("openssh", ("quorum",), True)
    assert str(typed["retry_file"]) == "/tmp/left"


def test_a_file_that_resume_is_told_stands_instead_of_that_of_the_run() -> None:
    again = Again("book", (), "/tmp/left")
    words = advice(resume.command, ["last", "--retry-file", "mine"], ["failed", "resolved", "refused"], again)
    assert words == {RUN_AGAIN: ["runbook", "run", "book", "--host", "@mine", "--retry-file", "mine"]}


def test_what_allows_a_step_on_one_host_after_a_resume_leaves_the_file_of_all_alone() -> None:
    again = Again(ORDER.runbook, begun_words(ORDER), ORDER.rollout.retry_file)
    with resume.command.make_context("resume", ["last"]):
        words = shlex.split(again.on(Host("web2"), "--allow", "drop_caches"))
    typed = run.command.make_context("run", words[2:]).params
    assert (typed["host"], typed["allow"], typed["retry_file"]) == (("web2",), ("drop_caches",), None)
    assert typed["parameters"] == ("unit=api.service", "floor=10 %")


@pytest.mark.parametrize("resumes", [True, False])
def test_what_is_carried_out_once_is_not_run_again_and_an_undo_is_not_gone_on_with(*, resumes: bool) -> None:
    told = advice(resume.command, ["last"], ["unreachable", "failed", "refused"], None, resumes=resumes)
    assert list(told) == ([GO_ON] if resumes else [])


def test_a_file_that_does_not_say_how_the_run_ended_is_told_below_the_result(
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = run_summary(s.RUN, [report("web1", "resolved")])
    reply = Reply(0, lambda: document, lambda: [[line("ALL WELL")]])
    assert show_end(TEXT, reply, RunResult(s.RUN, ())) == 0
    unwritten = JournalError("the retry file cannot be written: No space left on device", where="--retry-file left")
    assert show_end(TEXT, reply, RunResult(s.RUN, (), unwritten=unwritten)) == 6
    told = capsys.readouterr()
    assert told.out == "ALL WELL\n" * 2
    assert "--retry-file left: the retry file cannot be written: No space left on device" in " ".join(told.err.split())


def test_a_run_of_this_machine_and_without_anything_typed_has_no_words() -> None:
    assert begun_words(Order(runbook="book", hosts=(Host("local", transport="local"),))) == []


def test_after_a_stop_it_is_gone_on_with_first_and_who_is_in_the_middle_is_not_run_again() -> None:
    words, again = ["book", "--host", "web[1:3]", "--retry-file", "left"], Again("book")
    told = advice(run.command, words, ["interrupted", "failed", "not_begun"], again, stopped=True)
    assert list(told) == [STOP, RUN_AGAIN]
    assert told[STOP] == ["runbook", "resume", s.RUN]
    assert told[RUN_AGAIN][:5] == ["runbook", "run", "book", "--host", "web2"], "the file names the others, too"
    told = advice(run.command, words, ["resolved", "resolved", "not_begun"], again, stopped=True)
    assert list(told) == [STOP]

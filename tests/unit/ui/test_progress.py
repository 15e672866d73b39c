from __future__ import annotations

import io
import re
import threading

import pytest
from tests.golden import samples as s

from memrunbook.core.run.event import Diagnosed, RunFinished
from memrunbook.core.run.request import AskApproval, Execute, Lock, ReadFacts, Record, Request, Unlock, Wait
from memrunbook.core.runbook.condition import State, Verdict
from memrunbook.ui.block import line
from memrunbook.ui.layout import lay_out
from memrunbook.ui.progress import ProgressDisplay, event_line, progress_line
from memrunbook.ui.screen import Screen

WAIT = Wait(5.0, "verify restart-grower")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _plain(progress: ProgressDisplay) -> str:
    return "\n".join("".join(span.text for span in content) for content in progress._drawn(80, 24))


def words(host: str, request: Request) -> str:
    return "".join(span.text for content in lay_out([progress_line(host, request)], None) for span in content)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (ReadFacts(("memory",), 3, 5.0, "diagnosis"), "reading 1 fact (diagnosis), about 10 s"),
        (Execute("a", s.change()), f"a: Restart {s.GROWER}, at most 3 min"),
        (Execute("a", s.change(), undo=True), f"a: taking back: Restart {s.GROWER}, at most 3 min"),
        (AskApproval(s.step(), s.NOW), f"restart-grower/{s.GROWER}: waiting for an answer"),
        (Lock(), "taking the lock of the host"),
        (Unlock(), "giving the lock back"),
    ],
)
def test_every_request_says_what_is_done(request_: Request, said: str) -> None:
    assert words("h", request_) == f"h  {said}"


@pytest.mark.parametrize(("state", "said"), [("fails", "does not apply"), ("unknown", "unknown whether")])
def test_a_diagnosis_says_whether_the_incident_applies(state: State, said: str) -> None:
    diagnosis = s.runbook_diagnosis(incident=Verdict(state))
    assert said in str(event_line("h", Diagnosed(diagnosis, s.plan(), {})))


def test_off_a_terminal_each_event_is_one_line_and_a_loop_says_it_once() -> None:
    stream = io.StringIO()
    with ProgressDisplay(Screen("auto", stream, {}), lambda: s.NOW) as progress:
        for _ in range(3):
            progress.asked("h", WAIT)
        progress.asked("h", Record(s.finished()))
        progress.asked("h", WAIT)
    wait = "h  waiting 5.0 s (verify restart-grower)"
    assert stream.getvalue().splitlines() == [wait, f"h  done  restart-grower  Restart {s.GROWER} (107 s)", wait]


def test_what_a_step_has_said_is_not_said_again_where_the_host_ends() -> None:
    stream = io.StringIO()
    why = "the host moved on while this waited: it was: pid 1; now: pid 2"
    with ProgressDisplay(Screen("auto", stream, {}), lambda: s.NOW) as progress:
        for state in ("refused", "skipped"):
            progress.asked("h", Record(s.finished(state, why=why, summary="", seconds=0.0)))
        progress.asked("h", Record(RunFinished("refused", why)))
        progress.asked("other", Record(RunFinished("refused", why)))
    told = stream.getvalue()
    assert told.splitlines()[1:] == ["h  REFUSED: the incident is not over", f"other  REFUSED: {why}"]
    assert told.count(why) == 2, "once a host"
    assert "skipped" not in told


def test_on_a_terminal_what_is_waited_for_is_drawn_and_goes_away() -> None:
    stream = Terminal()
    with ProgressDisplay(Screen("auto", stream, {"TERM": "xterm"}, 80), lambda: s.NOW) as progress:
        for number in range(2):
            progress.asked(f"h{number}", WAIT)
        drawn = _plain(progress)
        progress.finished("h0")
        progress.asked("h1", Record(s.finished()))
        with progress.paused():
            before = len(stream.getvalue())
        stays = _plain(progress)
    assert "h0  waiting 5.0 s (verify restart-grower)  0.0 s" in drawn
    assert "h0" not in stays
    assert before
    assert f"done\x1b[0m  restart-grower  Restart {s.GROWER} (107 s)" in re.sub(
        r"\x1b\[\d*[A-HJKl]", "", stream.getvalue()
    )


def test_hosts_may_report_from_several_threads_while_it_is_paused_and_drawn() -> None:
    stream = Terminal()
    with ProgressDisplay(Screen("never", stream, {"TERM": "xterm"}, 80), lambda: s.NOW) as progress:
        threads = [threading.Thread(target=progress.say, args=(line(f"line {n}"),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert all(f"line {n}\n" in stream.getvalue() for n in range(8))


def test_a_terminal_that_went_away_at_a_question_ends_no_run() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            if self.gone:
                raise OSError(5, "Input/output error")
            return super().write(text)

        def flush(self) -> None:
            self.write("")

        gone = False

    stream = Gone()
    with ProgressDisplay(Screen("auto", stream, {"TERM": "xterm"}, 80), lambda: s.NOW) as progress:
        progress.asked("h", WAIT)
        with progress.paused():
            stream.gone = True
        with progress.paused():
            pass

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import termios

import pytest

from memrunbook.ui.block import BLANK, Span, line
from memrunbook.ui.screen import ColorChoice, Screen

XTERM = {"TERM": "xterm"}
RED = line(Span("bad", "critical"), " news")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("color", "terminal", "environ", "colored"),
    [
        ("auto", True, XTERM, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", True, {}, False),
        ("auto", True, {**XTERM, "NO_COLOR": "1"}, False),
        ("auto", True, {**XTERM, "NO_COLOR": ""}, True),
        ("auto", False, XTERM, False),
        ("always", False, {"NO_COLOR": "1", "TERM": "dumb"}, True),
        ("never", True, XTERM, False),
    ],
)
def test_colour_is_where_it_is_wanted(
    color: ColorChoice, terminal: bool, environ: dict[str, str], colored: bool  # noqa: FBT001  a parameter of the table
) -> None:  # fmt: skip
    stream = Terminal() if terminal else io.StringIO()
    Screen(color, stream, environ, 80 if terminal else None).show([RED])
    assert stream.getvalue() == ("\x1b[1;31mbad\x1b[0m news\n" if colored else "bad news\n")


def test_a_forced_colour_off_a_terminal_folds_nothing() -> None:
    stream = io.StringIO()
    Screen("always", stream, {"COLUMNS": "20"}).show([line(Span("x" * 300, "strong"))])
    assert stream.getvalue() == f"\x1b[1m{'x' * 300}\x1b[0m\n"


@pytest.mark.parametrize(("columns", "width"), [("100", 100), ("7", 40), ("0", 80), ("many", 80)])
def test_the_width_is_that_of_the_terminal(columns: str, width: int) -> None:
    assert Screen("auto", Terminal(), {"COLUMNS": columns}).width == width


def test_a_real_terminal_says_how_wide_it_is() -> None:
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 97))
    with open(terminal, "w", encoding="utf-8") as stream:  # noqa: PTH123  a descriptor
        assert Screen("auto", stream, XTERM).width == 97
    os.close(controller)


def test_a_question_leaves_the_cursor_behind_it() -> None:
    stream = io.StringIO()
    Screen("auto", stream, XTERM).ask([line("first"), line("go on? y/N:")])
    assert stream.getvalue() == "first\ngo on? y/N: "


def test_a_blank_line_stands_between_pages_and_none_in_a_conversation() -> None:
    stream = io.StringIO()
    screen = Screen("never", stream)
    for page in ([], [line("one"), line("more")], [], [line("two")], [BLANK, line("three")]):
        screen.show(page)
    screen.say([line("four")])
    assert stream.getvalue() == "one\nmore\n\ntwo\n\nthree\nfour\n"


def test_what_the_stream_cannot_encode_is_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    Screen("auto", stream, {}).show([line("caf\u00e9")])
    assert raw.getvalue() == b"caf\\xe9\n"


def test_stdout_is_the_screen_where_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Screen("never").show([RED])
    assert capsys.readouterr().out == "bad news\n"


def test_markup_emoji_and_links_of_a_host_stay_text() -> None:
    stream = Terminal()
    Screen("always", stream, XTERM, 80).show([line(Span("[red]:skull:[/red] http://x 123", "quiet"))])
    assert stream.getvalue() == "\x1b[2m[red]:skull:[/red] http://x 123\x1b[0m\n"


def test_rich_is_loaded_only_for_colour() -> None:
    script = (
        "import sys; from memrunbook.ui import approve, diagnosis, errors, facts, plan, report, runbooks, screen\n"
        "from memrunbook.ui.block import line, Span\n"
        "screen.Screen('never').show([line(Span('x', 'strong'))])\n"
        "assert not {'rich', 'cel_expr_python', 'paramiko'} & set(sys.modules)\n"
        "screen.Screen('always').show([line(Span('x', 'strong'))])\n"
        "assert 'rich' in sys.modules"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environ, capture_output=True)

from __future__ import annotations

import io
import re
import threading
import time

from memrunbook.ui.block import Text, line, text
from memrunbook.ui.region import ECHO, Region
from memrunbook.ui.screen import Screen

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _region(stream: io.StringIO, drawn: list[Text], term: str = "xterm") -> Region:
    return Region(Screen("never", stream, {"TERM": term}, 80), lambda _width, _height: drawn)


def test_it_is_drawn_at_once_and_what_is_said_stands_above_it() -> None:
    stream = Terminal()
    region = _region(stream, [text("two hosts"), text("  one  reading")])
    region.open()
    assert "two hosts" in stream.getvalue(), "nobody waits for the first picture"
    region.say(line("it stays"))
    region.close()
    plain = ESCAPES.sub("", stream.getvalue()).replace("\r", "")
    assert plain.index("it stays\n") < plain.rindex("two hosts")


def test_what_is_said_while_a_question_stands_waits_for_its_end_and_delays_nobody() -> None:
    stream = Terminal()
    region = _region(stream, [text("two hosts")])
    region.open()
    with region.questioned():
        before = len(stream.getvalue())
        other = threading.Thread(target=region.say, args=(line("db7 failed"),))
        other.start()
        other.join(10)
        assert not other.is_alive(), "a host that has something to say does not wait for whoever is asked"
        time.sleep(0.6)
        assert len(stream.getvalue()) == before, "nothing is drawn into the question"
    assert "db7 failed\n" in stream.getvalue()
    assert "two hosts" in stream.getvalue()[before:]
    region.close()


def test_it_leaves_room_for_what_ctrl_c_echoes() -> None:
    asked: list[tuple[int, int]] = []

    def drawn(width: int, height: int) -> list[Text]:
        asked.append((width, height))
        return [text("x" * width)]

    stream = Terminal()
    region = Region(Screen("never", stream, {"TERM": "xterm"}, 60), drawn)
    region.open()
    region.close()
    assert set(asked) == {(60 - ECHO, 24)}


def test_a_dumb_terminal_and_a_pipe_are_written_to_and_never_drawn_on() -> None:
    for stream, term in ((Terminal(), "dumb"), (io.StringIO(), "xterm")):
        region = _region(stream, [text("two hosts")], term)
        region.open()
        region.say(line("it stays"))
        region.close()
        assert not region.moves
        assert stream.getvalue() == "it stays\n"


def test_a_terminal_that_has_gone_is_drawn_on_no_more() -> None:
    class Gone(Terminal):
        def write(self, _text: str) -> int:
            raise OSError(5, "Input/output error")

    region = _region(Gone(), [text("two hosts")])
    region.open()
    assert not region.moves
    with region.questioned():
        pass
    region.close()

from __future__ import annotations

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memrunbook.core.text import clean
from memrunbook.ui.block import Block, Grid, Line, Note, Row, Span, Table, line, note, row, text, to_type
from memrunbook.ui.commands import commands_in
from memrunbook.ui.layout import ON_TERMINAL, UNCUT, cells, lay_out
from memrunbook.ui.screen import Screen

WORDS = st.text(max_size=120)
SPANS = st.builds(Span, WORDS, st.sampled_from(["", "strong"]), st.booleans(), st.just(False))
TEXTS = st.lists(SPANS, max_size=3).map(tuple)
LINES = st.builds(Line, TEXTS, TEXTS, st.integers(0, 20))
ROWS = st.builds(Row, st.lists(TEXTS, min_size=1, max_size=4).map(tuple), TEXTS)
GRIDS = st.builds(
    Grid, st.lists(ROWS | st.builds(Note, TEXTS, TEXTS), max_size=4).map(tuple), st.integers(0, 2), st.integers(0, 4)
)
TABLES = st.integers(1, 4).flatmap(
    lambda n: st.builds(
        Table, st.tuples(*[WORDS] * n), st.lists(st.tuples(*[WORDS] * n), max_size=3).map(tuple), st.integers(0, 4)
    )
)
BLOCKS: st.SearchStrategy[list[Block]] = st.lists(LINES | GRIDS | TABLES, max_size=4)


def drawn(blocks: list[Block], width: int | None = None) -> list[str]:
    return ["".join(span.text for span in content).rstrip(" ") for content in lay_out(blocks, width)]


@settings(deadline=None)
@example([Line((), (Span(f" 0000{'0' * 26}:runbook a000"),))], 40)
@given(BLOCKS, st.integers(40, 120))
def test_whatever_a_host_says_no_line_is_wider_than_the_terminal(blocks: list[Block], width: int) -> None:
    for content in lay_out(blocks, width):
        shown = "".join(span.text for span in content).rstrip()
        assert cells((Span(shown),)) <= width or commands_in(shown), "a command to copy is never broken"
        assert clean(shown, UNCUT) == shown


@settings(deadline=None)
@given(BLOCKS)
def test_off_a_terminal_nothing_is_cut(blocks: list[Block]) -> None:
    assert not any("…" in shown for shown in drawn(blocks) if "…" not in str(blocks))


@settings(deadline=None)
@example((Span("\xa0"), Span(" " + "0" * 40)), 40)
@example((Span("0" * 40 + "\xa0"),), 40)
@given(TEXTS, st.integers(40, 120))
def test_folding_keeps_every_character_but_blanks(content: tuple[Span, ...], width: int) -> None:
    whole = tuple(span._replace(whole=True) for span in content)
    folded = "".join(drawn([Line((), whole)], width))
    assert folded.replace(" ", "") == "".join(drawn([Line((), whole)])).replace(" ", "")


@pytest.mark.parametrize("blank", ["\xa0", "\u1680", "\u2003", "\u2007", "\u202f", "\u205f", "\u3000", "\u200b", "\t"])
def test_a_fold_drops_no_other_blank_than_a_space(blank: str) -> None:
    shown = clean(blank)
    for said in ("x" * 40 + blank, f"x{blank}" * 40, f"{blank} " * 30, f"{'x' * 39} {blank}{'y' * 39}", blank * 50):
        folded = drawn([Line((), (Span(said, whole=True),))], 40)
        assert "".join(folded).count(shown) == said.count(blank)
        out = io.StringIO()
        Screen("never", out).say([Line((), (Span(said, whole=True),))])
        assert out.getvalue().count(shown) == said.count(blank)
    above = drawn([line(blank, to_type(LONG))], 40)
    assert above[0].strip(" ") == shown


POD = "kubepods-burstable-pod12ab.slice/cri-containerd-0123456789abcdef.scope"
PATH = f"/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/{POD}/memory.max"


def test_a_long_path_is_broken_behind_its_separators_and_no_name_in_it() -> None:
    folded = drawn([row_of("Evidence", PATH)], 80)
    assert "".join(one.strip() for one in folded) == f"Evidence  {PATH}"
    assert all(one.endswith("/") for one in folded[:-1])


def test_a_name_that_does_not_fit_beside_its_head_is_whole_below_it() -> None:
    file, digest = "/var/lib/memrunbook/runs/20261122-094107-3f2c/evidence-db7.txt", "ab" * 32
    for name in (file, digest, "a-service-with-a-name-of-which-nobody-would-think-it-so-long.service"):
        for content in (name, f"kept in {name} on db7"):
            assert any(name in one for one in drawn([row_of("It is kept there", content)], 80))


def row_of(head: str, body: str) -> Grid:
    return Grid((row(head, body=body),))


def test_a_long_name_is_cut_on_a_terminal_only_and_what_must_be_read_never() -> None:
    name = "n" * 1000
    assert drawn([line(name)]) == [name]
    assert "".join(drawn([line(name)], 80)) == "n" * (ON_TERMINAL - 1) + "…"
    assert "".join(drawn([line(Span(name, whole=True))], 80)) == name


def test_columns_share_a_width_and_a_huge_cell_does_not_push_the_others() -> None:
    grid = Grid((row("a", "one", body="x"), row("bbb", "z" * 90, body="y"), note("hint: ", "h")))
    assert drawn([grid]) == [f"  a    {'one':48}   x", f"  bbb  {'z' * 90}   y", "       hint: h"]


def test_a_number_stays_with_its_unit() -> None:
    assert drawn([line("a" * 36, " 4.7 MiB/s and", " 31.4 %")], 40) == ["a" * 36, "4.7 MiB/s and 31.4 %"]


def test_wide_characters_count_for_two_columns() -> None:
    assert cells(text("日本")) == 4
    assert cells(text("e\u0301")) == 1
    assert drawn([Grid((row("日本", "x"), row("abcde", "y")))]) == ["  日本   x", "  abcde  y"]
    assert drawn([line("日" * 25)], 40) == ["日" * 20, "日" * 5]


def test_a_table_that_is_too_wide_becomes_sentences() -> None:
    table = Table(("name", "size", "used"), (("a", "1 KiB", "x" * 30),))
    assert drawn([table], 80) == ["  name  size   used", f"  a     1 KiB  {'x' * 30}"]
    assert drawn([table], 40) == ["  a  size 1 KiB, used", f"     {'x' * 30}"]


def test_a_text_that_has_no_room_beside_its_head_goes_below_it() -> None:
    long = Line(text("h" * 70), text("word " * 10), 4)
    assert drawn([long], 80) == ["h" * 70, f"    {'word ' * 10}".rstrip()]
    assert drawn([Line(text("h" * 90), (), 4)], 80) == ["h" * 76, f"    {'h' * 14}"]


LONG = "runbook run ./slow.yaml --host @left6 --inventory /srv/hosts.ini --serial 4 --max-failures '100 %' --yes"


@given(st.integers(40, 200), st.sampled_from(["To run it again:  ", "next: ", "", "word " * 30]))
def test_no_line_break_of_ours_goes_into_a_command(width: int, before: str) -> None:
    shown = [
        *drawn([line(before, to_type(LONG))], width),
        *drawn([Grid((row(before, to_type(LONG)), note(before, to_type(LONG))))], width),
        *drawn([line(before, to_type(LONG), " and then ", to_type(LONG), "; or not")], width),
    ]
    assert sum(one.count(LONG) for one in shown) == 5
    assert sum(one.count("--serial") for one in shown) == 5


def test_a_command_that_has_no_room_beside_its_label_stands_alone() -> None:
    assert drawn([line("next: ", to_type("runbook on"))], 80) == ["next: runbook on"]
    assert drawn([line("To run it again:  ", to_type(LONG))], 80) == ["To run it again:", f"  {LONG}"]
    assert drawn([line(to_type(LONG), indent=30)], 80) == [f"  {LONG}"]
    short = "runbook run book --host web01 --serial 1"
    assert drawn([note_row("next: ", short)], 46) == ["  row", "  next:", f"    {short}"]


def note_row(head: str, command: str) -> Grid:
    return Grid((row("row"), note(head, to_type(command))), under=0)


def test_a_command_inside_of_a_hint_is_one_word() -> None:
    hint = "plan again, and have that approved: runbook plan thrashing --host web01 --out FILE, then go on"
    assert drawn([line("hint: ", hint)], 60) == [
        "hint: plan again, and have that approved:",
        "runbook plan thrashing --host web01 --out FILE, then go on",
    ]

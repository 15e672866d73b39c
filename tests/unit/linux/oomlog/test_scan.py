import re

from hypothesis import given
from hypothesis import strategies as st

from memrunbook.linux.oomlog.scan import Hit, Words

WORDS = (b"oom", b"oom-killer", b"\n-- ", b"a", b"aba")
LINES = st.lists(
    st.lists(st.sampled_from([b"oom", b"-killer", b"-- ", b"a", b"b", b" ", b"x"])).map(b"".join), min_size=1
)


def one_by_one(block: bytes) -> list[Hit]:
    found = []
    for line in re.finditer(rb"[^\n]*\n", block):
        start, end = line.start(), line.end() - 1
        before = b"\n" if start else b""
        held = [word for word in WORDS if word in before + block[start:end]]
        found += [Hit(start, end, held)] if held else []
    return found


@given(LINES)
def test_all_words_are_found_as_if_each_was_searched_for_alone(lines: list[bytes]) -> None:
    block = b"".join(line + b"\n" for line in lines)

    assert Words(WORDS).hits(block) == one_by_one(block)


def test_a_line_names_its_words_once_and_in_the_order_they_were_asked_for() -> None:
    assert Words([b"task", b"oom"]).hits(b"x\noom task oom\ny\n") == [Hit(2, 14, [b"task", b"oom"])]

"""What looks like a secret is hidden, and the short way past texts without one hides exactly as much."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memrunbook.runtime.redaction import HIDDEN, SECRET, redact, redacted

WORDS = [
    "password",
    "PassWd",
    "passphrase",
    "SECRET",
    "tokens",
    "api_key",
    "API-KEY",
    "apikey",
    "key",
    "Kelvin",
    "pass",
]
SIGNS = ["=", ": ", " ", "\n", "--", "-", "x", "\u017f", "\u0131", "\u0130", "\u212a", "\u00df"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--password=hunter2 -v", f"--password={HIDDEN} -v"),
        ("API_KEY: abc", f"API_KEY: {HIDDEN}"),
        ("pa\u017fsword=x", f"pa\u017fsword={HIDDEN}"),
        ("to\u212aen=x", f"to\u212aen={HIDDEN}"),
        ("ap\u0131key=x", f"ap\u0131key={HIDDEN}"),
        ("ap\u0130-key=x", f"ap\u0130-key={HIDDEN}"),
        ("systemd-ask-password --wait", "systemd-ask-password --wait"),
        ("keyboard-setup.service = active", "keyboard-setup.service = active"),
    ],
)
def test_a_secret_is_hidden_in_a_text(text: str, expected: str) -> None:
    assert redact(text) == expected


@given(st.lists(st.sampled_from(WORDS + SIGNS)).map("".join) | st.text())
@example("pa\u00df" + "word=x")
def test_the_short_way_hides_as_much_as_the_long_one(text: str) -> None:
    assert redact(text) == SECRET.sub(rf"\1\2{HIDDEN}", text)


def test_in_a_list_the_word_behind_an_option_is_hidden() -> None:
    assert redacted(["--token", "abc", "-v", 3, None]) == ["--token", HIDDEN, "-v", 3, None]
    assert redacted({"argv": ("--no-ask-password", "web"), "n": 1}) == {"argv": ["--no-ask-password", "web"], "n": 1}
    assert redacted(["token", "abc"]) == ["token", "abc"]
    assert redacted(["--secret", "--verbose"]) == ["--secret", "--verbose"]

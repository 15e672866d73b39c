"""The patterns of our documents in words: nobody is to read a pattern to learn what a value must look like."""

from __future__ import annotations

FORMS = {
    r"^[a-z0-9][a-z0-9_-]{0,62}$": "is no name here: small letters, digits, - and _, at most 63, no - or _ first",
    r"^[a-z0-9][a-z0-9-]*$": "is no name here: small letters, digits and -, a letter or digit first",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "is no name of a label: letters, digits and _, no digit first",
    r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$": "is no name of a header: letters, digits and -, a letter or digit first",
    r"^[\x21-\x7e]([\x20-\x7e]{0,500}[\x21-\x7e])?$": "is no value of a header: one line of ASCII, no blank around it",
    r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$": "is no time of day: 00:00 to 24:00, with two digits each",
    r"^https?://[^/@]+": "is no URL here: http:// or https://, a host, and no login in it",
    r"^[!-~]+$": "is no word of ASCII: no blank, no accent",
    r"^[^@\s:]+$": "is no login: one word without @ and :",
    r"^\s*(\d{1,15}(\.\d{1,15})?\s*(ms|[smhd])\s*)+$": "is no duration: 90s, 5m, 1h 30m",
    r"^\s*\d{1,15}(\.\d{1,15})?\s*([KMGT]iB|B)\s*$": "is no size: 512MiB, 4GiB",
}
"""What a value is not that has not the form."""


def not_of_form(pattern: str) -> str:
    """What is said of a value, behind it, that a pattern does not match."""
    return FORMS.get(pattern, f"has not the form {pattern}")

"""Recognises expressions that YAML would take apart, and says in plain words what a syntax error means."""

from __future__ import annotations

import re

QUOTE = "put the whole value in quotes"
EXPRESSION = f"if it is an expression, {QUOTE}"
UNFINISHED = re.compile(r"""(&&|\|\||[=!<>]=|[<>+*/?:,(\[-]|(^|[\s=(,\[])'[^']*|^[^"]*"([^"]*"[^"]*")*[^"]*)$""")
COMMENT = re.compile(r"\s+#")
INDENT = f"check the indentation; {EXPRESSION}"
SYNTAX = (
    ("mapping values are not allowed", 'there is a second ": " where one value belongs', INDENT),
    ("expected key", "this does not fit the lines before it", INDENT),
    ("expected <block end>", "this does not fit the lines before it", INDENT),
    ("expected ',' or '}'", 'a "," or "}" belongs here', f"inside {{ }}, {QUOTE}"),
    ("expected ',' or ']'", 'a "," or "]" belongs here', f"inside [ ], {QUOTE}"),
    ("cannot start any token", "a value cannot begin with this character", QUOTE),
    ("alphabetic or numeric", "a value cannot begin with & or * (YAML's anchors and aliases)", QUOTE),
    ("unexpected end of stream", "a quote is opened and never closed", "close it"),
    ("expected ':'", 'this is no "key: value"', "write a colon and a space behind the key"),
    ("nesting depth", "nested deeper than a document may be", "32 levels are the most"),
    ("escape character", "this escape does not exist", "write \\ twice for a backslash, or use single quotes"),
)


def in_words(problem: str, character: str) -> tuple[str, str]:
    """The message and the hint for a syntax error of the YAML parser at a character."""
    if character == "\t":
        return "a tab may not stand here", "indent with spaces"
    for sign, message, hint in SYNTAX:
        if sign in problem:
            return message, hint
    return f"this is not YAML: {problem}", ""


def cut_short(value: str, rest: str) -> bool:
    """True where a comment (`rest` follows the value on its line) cuts a plain value in the middle of an expression."""
    return bool(COMMENT.match(rest) and UNFINISHED.search(value))


def cut_by_comma(value: str) -> bool:
    """True where a plain value inside { } or [ ] ends in the middle of a call: its comma has split the expression."""
    return value.count("(") > value.count(")")

"""The tree of an expression as CEL itself parsed it: what speaks of an expression's parts parses no text of its own.

CEL hands its tree out as a message of Protocol Buffers (cel/expr/checked.proto, cel/expr/syntax.proto); what is read of
it here are the fields of `Expr` and the positions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["const", "name", "select", "call", "list", "map", "each"]
VARINT, FIXED64 = 0, 1
INT_BITS = 64
ENTRY = (3, 4)
# The kinds of `Expr` by their number there: what we call it, the fields with its word and with its parts.
KINDS: Mapping[int, tuple[Kind, int, tuple[int, ...]]] = {
    3: ("const", 0, ()),
    4: ("name", 1, ()),
    5: ("select", 2, (1,)),
    6: ("call", 2, (1, 3)),
    7: ("list", 0, (1,)),
    8: ("map", 0, ENTRY),
    9: ("each", 1, (2, 4, 5, 6, 7)),
}


@dataclass(frozen=True, slots=True)
class Term:
    """One part of an expression.

    `word` is the name, the selected field, the called function or (`each`) the macro's variable; `value` that of a
    constant; `parts` are the operands in order, the target of a call first. An `each`, what a macro becomes, has the
    list, the first value, the condition to go on, the step and the result; its `value` is the name of what it gathers.
    `offset` counts characters of the text: of a selection it is the dot, of an operator the operator.
    """

    kind: Kind
    offset: int
    word: str = ""
    value: Any = None
    parts: tuple[Term, ...] = ()

    def walk(self) -> Iterator[Term]:
        """This part and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def tree_of(program: Any) -> Term:
    """The tree of a compiled program."""
    checked = dict(_fields(dict(_fields(program.serialize()))[2]))
    positions = dict(_position(entry) for number, entry in _fields(checked[5]) if number == 4)  # noqa: PLR2004
    return _node(checked[4], positions)


def _position(entry: bytes) -> tuple[int, int]:
    found = dict(_fields(entry))
    return found.get(1, 0), found.get(2, 0)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message by number: numbers as they are, all else as bytes."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        wire = key & 7
        if wire == VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
        else:
            length = 8
            if wire != FIXED64:
                length, place = _varint(message, place)
            yield key >> 3, message[place : place + length]
            place += length


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:  # noqa: PLR2004  the highest bit says that more follows
            return value, place


def _node(message: bytes, positions: dict[int, int]) -> Term:
    found = dict(_fields(message))
    offset = positions.get(found.pop(2, 0), 0)
    (number, content), *_ = found.items()
    inside = list(_fields(content))
    one = dict(inside)
    kind, word, operands = KINDS[number]
    parts = tuple(_node(value, positions) for place, value in _operands(inside, operands))
    value = _constant(inside) if kind == "const" else one[3].decode() if kind == "each" else None
    return Term(kind, offset, one[word].decode() if word else "", value, parts)


def _operands(inside: list[tuple[int, Any]], places: tuple[int, ...]) -> Iterator[tuple[int, Any]]:
    """The parts of one part; of a map they stand one level below, key and value of each entry."""
    if places == ENTRY:
        inside = [pair for place, value in inside if place == 2 for pair in _fields(value)]  # noqa: PLR2004
    return ((place, value) for place, value in inside if place in places)


def _constant(inside: list[tuple[int, Any]]) -> Any:
    (number, value), *_ = inside or [(1, None)]
    match number:
        case 2:
            return bool(value)
        case 3:
            return value - (1 << INT_BITS) if value >> (INT_BITS - 1) else value
        case 5:
            return struct.unpack("<d", value)[0]
        case 6:
            return value.decode()
    return value

"""Each module of the store is tried in both its places: the file, and a real PostgreSQL server."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import memrunbook.state.store

STORE = Path(memrunbook.state.store.__file__).parent
TESTS = Path(__file__).parents[1]
BOTH = {"place", "opened", "past"}
"""The fixtures of conftest.py that make each test twice."""
IN_ONE_PLACE = {
    "bounded": "a file does not hang: SQLite itself bounds its waits",
    "engines": "a file has no pool of connections: each that opens it has its own",
    "glance": "it reads a file past the library of databases; a server is asked by the library",
    "server_errors": "a file gives none of these errors",
}


def modules() -> list[str]:
    found = {path.stem for path in STORE.glob("*.py") if path.stem != "__init__"}
    return sorted(found - IN_ONE_PLACE.keys())


def tried(file: Path) -> Iterator[str]:
    """The modules of the store of which a test of this file that is made twice uses something."""
    tree = ast.parse(file.read_text("utf-8"))
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(memrunbook.state.store.__name__):
            module = (node.module or "").removeprefix(memrunbook.state.store.__name__).lstrip(".")
            known |= {name.asname or name.name: module or name.name for name in node.names}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    helps = {one.name: used(one) for one in functions}
    for one in functions:
        if BOTH & {argument.arg for argument in one.args.args}:
            names = used(one).union(*(helps.get(name, set()) for name in used(one)))
            yield from (known[name] for name in names & known.keys())


def used(function: ast.FunctionDef) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}


@pytest.mark.parametrize("module", modules())
def test_a_module_is_tried_on_a_file_and_on_a_server(module: str) -> None:
    files = [*TESTS.rglob("test_*.py"), *TESTS.rglob("conftest.py")]
    assert any(module in tried(file) for file in files), (
        f"no test of state/store/{module}.py takes one of {sorted(BOTH)}: or say in IN_ONE_PLACE why none can"
    )


def test_what_is_in_one_place_is_there() -> None:
    assert all((STORE / f"{name}.py").exists() for name in IN_ONE_PLACE)

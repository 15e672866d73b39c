"""Checks the size of files, functions and classes: `python tools/budgets.py src`. Docstrings are not counted."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MEAN_FILE, LONGEST_FILE = 120, 300
MEAN_FUNCTION, LONGEST_FUNCTION = 12, 40
MOST_METHODS = 12
EXCEPTIONS: dict[str, str] = {}  # "file.py" or "file.py:name": why splitting it would be worse
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTIONS)


def measure(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yields (what, where, how much) for the file, each of its functions and each of its classes."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, str(path))
    yield "file", str(path), len(text.splitlines()) - docstring_lines(tree)
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            yield "function", f"{path}:{node.name}", length - docstring_lines(node)
        elif isinstance(node, ast.ClassDef):
            yield "class", f"{path}:{node.name}", sum(isinstance(part, FUNCTIONS) for part in node.body)


def docstring_lines(tree: ast.AST) -> int:
    """The lines that the docstrings in a piece of code take."""
    bodies = (node.body for node in ast.walk(tree) if isinstance(node, DOCUMENTED) and ast.get_docstring(node))
    return sum((body[0].end_lineno or 0) - body[0].lineno + 1 for body in bodies)


def excesses(measured: list[tuple[str, str, int]]) -> Iterator[str]:
    """Yields what is over the budget, in words."""
    limits = {
        "file": (LONGEST_FILE, "lines"),
        "function": (LONGEST_FUNCTION, "lines"),
        "class": (MOST_METHODS, "methods"),
    }
    for what, where, size in measured:
        most, unit = limits[what]
        if size > most and where not in EXCEPTIONS:
            yield f"{where}: the {what} has {size} {unit}, at most {most} are allowed"
    for what, most in (("file", MEAN_FILE), ("function", MEAN_FUNCTION)):
        if (mean := average(measured, what)) > most:
            yield f"the mean {what} has {mean:.1f} lines, at most {most} are allowed"


def average(measured: list[tuple[str, str, int]], what: str) -> float:
    """The mean size of what was measured."""
    sizes = [size for kind, _, size in measured if kind == what]
    return sum(sizes) / max(1, len(sizes))


def main(folders: list[str]) -> int:
    """Measures every Python file below the folders; 1 when a budget is exceeded."""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    measured = [one for path in paths for one in measure(path)]
    found = list(excesses(measured))
    for line in found:
        print(line)
    print(f"{len(paths)} files; mean file {average(measured, 'file'):.1f} lines, ", end="")
    print(f"mean function {average(measured, 'function'):.1f} lines; {len(found)} over the budget")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["src"]))

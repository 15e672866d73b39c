"""What changed since when: git's answer, where a moved file and a changed import are no change."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FULL_RUN = re.compile(r"Last full run: .*, commit ([0-9a-f]{7,40})")
UPSTREAM = ("origin/HEAD", "origin/main")


@dataclass(frozen=True)
class Repository:
    """A work tree of git, and the page on which the last full run is written down."""

    root: Path
    page: Path

    def git(self, *words: str) -> str | None:
        """What git printed, or None where it failed or is not there."""
        try:
            done = subprocess.run(["git", *words], cwd=self.root, capture_output=True, check=False, timeout=60)
        except OSError:
            return None
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def commit(self, name: str) -> str | None:
        """The hash of a commit that git has, or None."""
        found = self.git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return found.strip() if found else None

    def base(self) -> tuple[str | None, str]:
        """The commit to compare with, or None; and which it is, or why there is none.

        That is $BASE; else the merge base with the upstream branch; where that is HEAD itself the last full run.
        """
        if wanted := os.environ.get("BASE"):
            found = self.commit(wanted)
            return found, f"BASE={wanted}" if found else f"nothing: git does not know BASE={wanted}"
        head = self.commit("HEAD")
        upstream = next((name for name in UPSTREAM if self.commit(name)), None)
        forked = (self.git("merge-base", "HEAD", upstream) or "").strip() if upstream else ""
        if forked and forked != head:
            return forked, f"{forked[:12]}, the merge base with {upstream}"
        return self._last_full_run()

    def _last_full_run(self) -> tuple[str | None, str]:
        written = FULL_RUN.search(self.page.read_text(encoding="utf-8")) if self.page.exists() else None
        if written is None:
            return None, f"nothing: {self.page.name} names no full run"
        found = self.commit(written[1])
        if found is None:
            return None, f"nothing: git does not know {written[1]}, the commit of the last full run (a shallow clone?)"
        return found, f"{found[:12]}, the commit of the last full run"

    def changed(self, base: str) -> frozenset[str]:
        """The files of the work tree whose meaning is not that of the base, by their path today."""
        listed = self.git("diff", "--name-status", "-z", "--find-renames", "--diff-filter=AMR", base) or ""
        new = (self.git("ls-files", "--others", "--exclude-standard", "-z") or "").split("\0")
        found = {path for old, path in _pairs(listed) if self._differs(base, old, path)}
        return frozenset(found | set(filter(None, new)))

    def _differs(self, base: str, old: str, path: str) -> bool:
        before = self.git("show", f"{base}:{old}") if old else None
        now = (self.root / path).read_text(encoding="utf-8", errors="replace")
        return before is None or meaning(path, before) != meaning(path, now)


def _pairs(listed: str) -> Iterator[tuple[str, str]]:
    """Of each file its path before ("" for a new one) and today, from `git diff --name-status -z`."""
    words = iter(listed.split("\0"))
    for status in words:
        if status:
            old = next(words)
            yield ("" if status == "A" else old), (next(words) if status.startswith("R") else old)


def meaning(path: str, text: str) -> str:
    """What a change must touch to count: of Python all but imports, docstrings, comments and layout, else the text."""
    if not path.endswith(".py"):
        return text
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text
    return ast.dump(_Meant().visit(tree))


class _Meant(ast.NodeTransformer):
    def visit_Import(self, node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else node


def imports(root: Path, folders: tuple[str, ...], package: str) -> dict[str, frozenset[str]]:
    """By file of these folders (relative to the root) the files of the same folders that it imports.

    A module `PACKAGE.a.b` is the file a/b.py of the package's folder, which is the parent of the folders.
    """
    files = {file.relative_to(root).as_posix() for folder in folders for file in (root / folder).rglob("*.py")}
    home = Path(folders[0]).parent
    names = {".".join((package, *Path(file).relative_to(home).with_suffix("").parts)): file for file in files}
    found = {}
    for file in files:
        modules = set(_modules(ast.parse((root / file).read_text(encoding="utf-8"))))
        found[file] = frozenset(names[module] for module in modules & names.keys()) - {file}
    return found


def _modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)

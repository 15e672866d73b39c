"""What git says has changed: not a move, not an import; and since when."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.kernel.changes import Repository, imports, meaning

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
FACT = (
    "import a\n\nLIMIT = 5\n\ndef parse(text):\n    return [int(word) for word in text.split() if word != str(LIMIT)]\n"
)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with one commit on `main`, which holds a fact and a runbook."""
    for name in ("BASE", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "tests")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "tests@localhost")
    made = Repository(tmp_path, tmp_path / "matrix.md")
    git(made, "init", "--quiet", "--initial-branch=main")
    write(made, "facts/one.py", FACT)
    write(made, "runbooks/one.yaml", "name: one\n")
    commit(made)
    return made


def git(repository: Repository, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=repository.root, check=True, capture_output=True, text=True).stdout


def write(repository: Repository, name: str, text: str) -> None:
    path = repository.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit(repository: Repository) -> str:
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=x")
    return git(repository, "rev-parse", "HEAD").strip()


def test_a_move_and_other_imports_are_no_change(repository: Repository) -> None:
    git(repository, "mv", "facts/one.py", "facts/two.py")
    write(repository, "facts/two.py", FACT.replace("import a\n", "from b import (\n    c,\n)  # now from there\n"))
    commit(repository)
    assert repository.changed("HEAD~1") == set()


def test_a_changed_line_a_new_file_and_a_changed_runbook_are(repository: Repository) -> None:
    git(repository, "mv", "facts/one.py", "facts/two.py")
    write(repository, "facts/two.py", FACT.replace("LIMIT = 5", "LIMIT = 6"))
    write(repository, "facts/three.py", "")
    write(repository, "runbooks/one.yaml", "name: two\n")
    commit(repository)
    assert repository.changed("HEAD~1") == {"facts/two.py", "facts/three.py", "runbooks/one.yaml"}


def test_what_is_not_committed_yet_counts_too(repository: Repository) -> None:
    write(repository, "facts/one.py", FACT.replace("5", "6"))
    write(repository, "facts/new file.py", "")
    assert repository.changed("HEAD") == {"facts/one.py", "facts/new file.py"}


def test_a_branch_is_compared_with_where_it_left_the_upstream(repository: Repository) -> None:
    forked = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    write(repository, "facts/new.py", "")
    commit(repository)
    assert repository.base() == (forked, f"{forked[:12]}, the merge base with origin/main")


def test_main_itself_is_compared_with_the_last_full_run(repository: Repository) -> None:
    full = git(repository, "rev-parse", "HEAD").strip()
    assert repository.base() == (None, "nothing: matrix.md names no full run")
    write(repository, "matrix.md", f"Last full run: 2026-11-28, commit {full[:12]}.\n")
    commit(repository)
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert repository.base() == (full, f"{full[:12]}, the commit of the last full run")
    write(repository, "matrix.md", "Last full run: 2026-11-28, commit 0123456789ab.\n")
    base, why = repository.base()
    assert base is None
    assert "git does not know 0123456789ab" in why


def test_a_base_may_be_named(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    head = git(repository, "rev-parse", "HEAD").strip()
    monkeypatch.setenv("BASE", "main")
    assert repository.base() == (head, "BASE=main")
    monkeypatch.setenv("BASE", "nowhere")
    assert repository.base() == (None, "nothing: git does not know BASE=nowhere")


def test_without_a_repository_there_is_no_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BASE", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert Repository(tmp_path, tmp_path / "matrix.md").base() == (None, "nothing: matrix.md names no full run")


@pytest.mark.parametrize("same", ['"""Says."""\n', "# why\n", "\n\n", "from __future__ import annotations\n"])
def test_words_about_code_are_not_its_meaning(same: str) -> None:
    assert meaning("a.py", same + FACT) == meaning("a.py", FACT)
    assert meaning("a.yaml", same + FACT) != meaning("a.yaml", FACT)


def test_python_that_cannot_be_read_is_text() -> None:
    assert meaning("a.py", "def") != meaning("a.py", "class")


def test_imports_of_one_file_are_files_of_the_same_folders(tmp_path: Path) -> None:
    for name, text in {
        "facts/one.py": "import os\nfrom memrunbook.facts.shared import numbers\nfrom memrunbook.core import text\n",
        "facts/shared/numbers.py": "import memrunbook.linux.service\n",
        "linux/service.py": "from memrunbook.linux.service import x\n",
        "core/text.py": "",
    }.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert imports(tmp_path, ("src/facts", "src/linux"), "memrunbook") == {
        "src/facts/one.py": {"src/facts/shared/numbers.py"},
        "src/facts/shared/numbers.py": {"src/linux/service.py"},
        "src/linux/service.py": frozenset(),
    }

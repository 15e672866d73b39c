"""The budget checker: counts what people read, not docstrings."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import budgets

FUNCTION = '''def {name}() -> None:
    """Says
    much.
    """
{body}
'''


def function(lines: int, name: str = "work") -> str:
    return FUNCTION.format(name=name, body="\n".join(["    pass"] * (lines - 1)))


def check(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    (folder / "one.py").write_text(text)
    return budgets.main([str(folder)]), capsys.readouterr().out


def test_what_keeps_to_the_budget_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = check(tmp_path, '"""One.\n\nMore."""\n\n' + function(12), capsys)
    assert status == 0
    assert said == "1 files; mean file 13.0 lines, mean function 12.0 lines; 0 over the budget\n"


def test_a_long_function_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = "".join(function(2, f"f{number}") for number in range(9))
    assert check(tmp_path, small + function(40), capsys)[0] == 0
    status, said = check(tmp_path, small + function(41), capsys)
    assert status == 1
    assert f"{tmp_path}/one.py:work: the function has 41 lines, at most 40 are allowed" in said


def test_long_functions_in_the_mean_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = check(tmp_path, function(13), capsys)
    assert status == 1
    assert "the mean function has 13.0 lines, at most 12 are allowed" in said


def test_a_long_file_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small.py").write_text("")
    (tmp_path / "smaller.py").write_text("")
    assert check(tmp_path, "A = 1\n" * 300, capsys)[0] == 0
    status, said = check(tmp_path, "A = 1\n" * 301, capsys)
    assert status == 1
    assert f"{tmp_path}/one.py: the file has 301 lines, at most 300 are allowed" in said


def test_long_files_in_the_mean_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, "A = 1\n" * 120, capsys)[0] == 0
    status, said = check(tmp_path, "A = 1\n" * 121, capsys)
    assert status == 1
    assert "the mean file has 121.0 lines, at most 120 are allowed" in said


def test_a_crowded_class_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def crowd(methods: int) -> str:
        return "class C:\n" + "".join(f"    def m{number}(self): pass\n" for number in range(methods))

    assert check(tmp_path, crowd(12), capsys)[0] == 0
    status, said = check(tmp_path, crowd(13), capsys)
    assert status == 1
    assert f"{tmp_path}/one.py:C: the class has 13 methods, at most 12 are allowed" in said


def test_an_exception_with_its_reason_is_let_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(function(2, f"f{number}") for number in range(9)) + function(41)
    monkeypatch.setattr(budgets, "EXCEPTIONS", {f"{tmp_path}/one.py:work": "one idea"})
    assert check(tmp_path, text, capsys)[0] == 0

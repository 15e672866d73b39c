"""What the packages bring: files of /etc that mean what they say, the unit that the command writes, an honest sdist."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from tests.cli.console import ROOT
from tools import debian_package, sbom
from tools.debian_package import LAUNCHER, RELEASES, describe

from memrunbook.documents.config import load_config
from memrunbook.documents.services import load_policy
from memrunbook.documents.systemd_units import of_a_team, units
from memrunbook.version import __version__

ETC = ROOT / "packaging" / "etc"


def uncommented(name: str, folder: Path) -> Path:
    """The file with its examples in force."""
    text = (ETC / name).read_text("utf-8").replace("services: []\n", "")
    path = folder / name
    path.write_text(re.sub(r"^#(?=\S|  )", "", text, flags=re.MULTILINE), "utf-8")
    return path


def test_what_is_installed_in_etc_is_in_force_and_so_are_its_examples(tmp_path: Path) -> None:
    load_config(ETC / "config.yaml")
    assert load_policy(ETC / "services.yaml").services == ()
    (tmp_path / "hosts.ini").write_text((ETC / "hosts.ini").read_text("utf-8"))
    found = load_config(uncommented("config.yaml", tmp_path))
    assert len(found.freeze) == len(found.maximum_risk) == 1
    assert [one.unit for one in load_policy(uncommented("services.yaml", tmp_path)).services] == ["search-api.service"]


def test_the_packages_unit_is_the_one_that_the_command_writes(tmp_path: Path) -> None:
    for release in RELEASES:
        debian = tmp_path / release.name / "debian"
        describe(release, debian)
        words = ["/usr/bin/runbook", "schedule", "run", "--state-dir", "/var/lib/memrunbook"]
        assert (debian / "memrunbook.service").read_text() == of_a_team(units(words, "memrunbook"))[
            "memrunbook.service"
        ]
        control = (debian / "control").read_text()
        assert f"python3 (>= {release.python}~), python3 (<< {release.next_python})" in control
        assert "@" not in re.sub("<.*>", "", control)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("0.2.0", "0.2.0"), ("0.2.0.dev0", "0.2.0~dev0"), ("0.2.0rc1", "0.2.0~rc1")]
)
def test_what_comes_before_a_release_is_older_for_debian(
    monkeypatch: pytest.MonkeyPatch, ours: str, theirs: str
) -> None:
    monkeypatch.setattr(debian_package, "__version__", ours)
    assert [debian_package.version(one) for one in RELEASES] == [f"{theirs}-1~deb12", f"{theirs}-1~deb13"]


def test_the_launcher_sees_nobody_elses_modules(tmp_path: Path) -> None:
    package = tmp_path / "memrunbook" / "cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text("import sys\n\ndef main():\n    print(*sys.path, sep='\\n')\n")
    program = tmp_path / "runbook"
    program.write_text(
        LAUNCHER.replace("/usr/lib/memrunbook", str(tmp_path)).replace("/usr/bin/python3", sys.executable)
    )
    program.chmod(0o755)
    done = subprocess.run([program], check=True, capture_output=True, text=True, env={"PYTHONPATH": "/elsewhere"})
    seen = done.stdout.splitlines()
    assert seen[0] == str(tmp_path)
    assert not [one for one in seen if "packages" in one or one == "/elsewhere"]


def test_the_sbom_says_what_the_wheel_is_and_needs(tmp_path: Path) -> None:
    said = tomllib.loads(sbom.described(tmp_path / "pyproject.toml").read_text("utf-8"))["project"]
    assert (said["name"], said["version"], said["license"]) == ("memrunbook", __version__, "Apache-2.0")
    needed = {re.split(r"[^\w-]", one)[0] for one in said["dependencies"]}
    assert {"click", "apprise", "psycopg", "icalendar"} <= needed
    assert not {"pytest", "ruff", "memrunbook"} & needed


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_source_holds_what_is_needed_alone_and_makes_the_same_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    subprocess.run([*build, "-t", "wheel", "-t", "sdist"], check=True, cwd=ROOT, capture_output=True)
    [wheel], [source] = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with tarfile.open(source) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
        inside = {Path(name).parts[1] for name in packed.getnames()}
    folders = {"src", "runbooks", "schemas", "share"}
    texts = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    assert inside == folders | texts
    [unpacked] = (tmp_path / "unpacked").iterdir()
    again = [*build[:-1], str(tmp_path / "again"), "-t", "wheel"]
    subprocess.run(again, check=True, cwd=unpacked, capture_output=True)
    assert contents(tmp_path / "again" / wheel.name) == contents(wheel)
    checked = [sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(source)]
    assert subprocess.run(checked, check=False, capture_output=True, text=True).stdout.count("PASSED") == 2


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as packed:
        return {name: packed.read(name) for name in packed.namelist()}

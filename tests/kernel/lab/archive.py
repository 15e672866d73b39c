"""Reads from apt's own configuration where this machine gets Debian's packages from."""

from dataclasses import dataclass

from tests.kernel.lab.command import execute
from tests.kernel.lab.errors import LabError

_FORMAT = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(COMPONENT)"


@dataclass(frozen=True, slots=True)
class Archive:
    """Debian as this machine's apt knows it: the suite's code name and one `deb` line a source."""

    suite: str
    lines: tuple[str, ...]


def archive(release: str = "") -> Archive:
    """Return the Debian sources among apt's; raise LabError if there are none (or `apt-get update` never ran).

    Another *release* (its code name) is looked for where this machine's own is.
    """
    targets = execute(["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"])
    debian = [line.split("|") for line in targets.splitlines() if line.startswith("Debian|")]
    main = [(uri, release, codename) for _, uri, release, codename, component in debian if component == "main"]
    plain = [codename for _, release, codename in main if release in {codename, "stable", "oldstable", "testing"}]
    if not plain:
        message = "apt knows no Debian archive here: run `apt-get update`, or use a Debian machine"
        raise LabError(message)
    if release:
        uri = next(uri for uri, _, codename in main if codename == plain[0])
        return Archive(release, (f"deb {uri} {release} main",))
    return Archive(plain[0], tuple(dict.fromkeys(f"deb {uri} {release} main" for uri, release, _ in main)))

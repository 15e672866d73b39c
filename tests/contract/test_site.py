"""The documentation site is the pages of the repository: each block of them, each link, and nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import html5lib
import pytest
from markdown_it import MarkdownIt
from tools.docs_site import PAGES, linked_from, place, site_links, source

ROOT = Path(__file__).parents[2]
NAMESPACE = "{http://www.w3.org/1999/xhtml}"
COUNTED = {"h1", "h2", "h3", "h4", "li", "pre", "table", "tr", "blockquote", "a", "img"}
WRITTEN = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")) + list(PAGES)
LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\"'\s>]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it: a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def built(site: Path, page: str) -> Path:
    uri = place(page).removesuffix(".md")
    return site / (f"{uri.removesuffix('README')}index.html" if uri.endswith("README") else f"{uri}.html")


def counted(html: str, part: str = "") -> Counter[str]:
    """How many of each kind of block there are, in all or in the element of this name alone."""
    tree = html5lib.parse(html)
    inside = tree.iter(f"{NAMESPACE}{part}") if part else [tree]
    ours = [one for root in inside for one in root.iter() if isinstance(one.tag, str)]
    names = [one.tag.removeprefix(NAMESPACE) for one in ours if one.get("class") != "headerlink"]
    return Counter(name for name in names if name in COUNTED)


@pytest.mark.slow
def test_each_page_shows_the_blocks_that_it_shows_in_the_repository(site: Path) -> None:
    """CommonMark there, Python-Markdown here: a list that only one of them sees is a paragraph on the other."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    different = {}
    for page in WRITTEN:
        there = counted(reader.render((ROOT / page).read_text("utf-8")))
        here = counted(built(site, page).read_text("utf-8"), "article")
        if here != there:
            different[page] = {name: (there[name], here[name]) for name in COUNTED if there[name] != here[name]}
    assert different == {}


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    found = {url for path in site.rglob("*.html") for url in LOADED.findall(path.read_text("utf-8"))}
    assert found == set()
    assert not [
        path for path in site.rglob("*.css") if re.search(r"(?:@import|url\()[\"' ]*https?:", path.read_text("utf-8"))
    ]


@pytest.mark.slow
def test_files_that_pages_link_to_come_along_and_languages_are_named(site: Path) -> None:
    assert (site / "schemas/config.schema.json").read_bytes() == (ROOT / "schemas/config.schema.json").read_bytes()
    assert '<html lang="zh-Hans"' in (site / "zh/tutorial/first-incident.html").read_text("utf-8")
    index = (site / "index.html").read_text("utf-8")
    assert '<html lang="en"' in index
    assert 'href="reference/runs-on-guests.html"' in index
    assert 'href="how-to/confine-it.html"' in index
    assert 'href="how-to/alertmanager.html"' in index


def test_a_link_of_the_repository_becomes_one_of_the_site() -> None:
    text = "[a](../../README.md#try-it) [b](config.md) [c](https://x) `[d](e.md)` [f](../../schemas/run.schema.json)\n"
    said = "[a](../index.md#try-it) [b](config.md) [c](https://x) `[d](e.md)` [f](../schemas/run.schema.json)\n"
    assert site_links("docs/reference/x.md", "reference/x.md", text) == said
    fenced = "```md\n[a](docs/x.md)\n```\n[b](docs/x.md#y) [c](#d)\n"
    assert site_links("README.md", "index.md", fenced) == "```md\n[a](docs/x.md)\n```\n[b](x.md#y) [c](#d)\n"
    assert list(linked_from("docs/how-to/x.md", text)) == [
        "README.md",
        "docs/how-to/config.md",
        "schemas/run.schema.json",
    ]
    assert [source(place(page)) for page in WRITTEN] == WRITTEN

"""The documentation site's hook (mkdocs.yml): a site of docs/ whose links are those of the repository.

A page of docs/ lies on the site as it lies there, a file of the top beside it: `README.md` is the home page,
`ARCHITECTURE.md` a page, and a file that a page links to (`schemas/config.schema.json`) comes along as it is. So a link
is written once, as the repository wants it, and nothing is copied by hand.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = "docs/"
HOME = "README.md"
PAGES = (HOME, "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
"""The pages of the repository's top that are pages of the site."""
DECISIONS = "decisions"
CHINESE = "zh-Hans"
CODE_OR_LINK = re.compile(
    r"^(?P<fence> *`{3,}).*?^(?P=fence)|`[^`\n]*`|\]\((?P<link>[^)\s]+)\)", re.MULTILINE | re.DOTALL
)
ELSEWHERE = re.compile(r"[a-z]+:|#|/")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts every decision into the navigation, in its order."""
    found = sorted(path.name for path in (ROOT / DOCS / DECISIONS).glob("[0-9]*.md"))
    [entries] = [entry[DECISIONS.title()] for entry in config.nav or () if DECISIONS.title() in entry]
    entries += [f"{DECISIONS}/{name}" for name in found]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages of the top, and what pages link to outside of docs/."""
    pages = [*PAGES, *(f"{DOCS}{file.src_uri}" for file in files.documentation_pages())]
    linked = {target for page in pages for target in linked_from(page, (ROOT / page).read_text("utf-8"))}
    beside = {path for path in linked if not path.startswith(DOCS) and (ROOT / path).is_file()}
    for path in sorted({*PAGES, *beside}):
        files.append(File.generated(config, place(path), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns the links of the repository into those of the site."""
    del config, files
    here = page.file.src_uri
    return site_links(source(here), here, markdown)


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:
    """Says of a page in Chinese that it is: browsers choose fonts and voices by it."""
    del config
    return output.replace('<html lang="en"', f'<html lang="{CHINESE}"', 1) if page.url.startswith("zh/") else output


def place(path: str) -> str:
    """Where a file of the repository lies on the site."""
    return "index.md" if path == HOME else path.removeprefix(DOCS)


def source(uri: str) -> str:
    """Where a page of the site lies in the repository."""
    return next((path for path in PAGES if place(path) == uri), f"{DOCS}{uri}")


def linked_from(page: str, text: str) -> Iterator[str]:
    """The files of the repository that a page links to."""
    for found in CODE_OR_LINK.finditer(text):
        if found["link"] and not ELSEWHERE.match(found["link"]):
            yield _target(page, found["link"])[0]


def site_links(page: str, uri: str, text: str) -> str:
    """The text of a page with its links as the site wants them."""

    def turned(found: re.Match[str]) -> str:
        link = found["link"]
        if not link or ELSEWHERE.match(link):
            return found[0]
        path, anchor = _target(page, link)
        return f"]({posixpath.relpath(place(path), posixpath.dirname(uri) or '.')}{anchor})"

    return CODE_OR_LINK.sub(turned, text)


def _target(page: str, link: str) -> tuple[str, str]:
    path, hash_, anchor = link.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), path)), f"{hash_}{anchor}"

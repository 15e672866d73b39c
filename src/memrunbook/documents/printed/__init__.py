"""The JSON documents that commands print: one file a document, which is its shape, its schema and its builder."""

from __future__ import annotations

import importlib
import pkgutil
from typing import ClassVar, TypeVar

from msgspec import Struct, structs

D = TypeVar("D", bound="Document")


class Document(Struct, frozen=True, kw_only=True):
    """A printed document. Its field `format` is the constant `memrunbook.NAME/1`; its docstring is the schema's title.

    A file of this folder defines one class `Document` of its own with that field, and its schema is made from it.
    `one_line`: it ends a stream of lines.
    """

    one_line: ClassVar[bool] = False


def documents() -> dict[str, type[Document]]:
    """Every document by its name."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    kinds = [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Document) and kind.__module__ == module.__name__
    ]
    return {name_of(kind): kind for kind in kinds}


def with_header(part: Struct, kind: type[D]) -> D:
    """A part of a document as a document of its own, whose class has the fields of that part and a `format`."""
    return kind(**structs.asdict(part))


def name_of(kind: type[Document]) -> str:
    """The document's name, as in its `format`."""
    defaults = {field.name: field.default for field in structs.fields(kind)}
    return str(defaults["format"]).removeprefix("memrunbook.").partition("/")[0]

"""The key of a document, ``source|id``: that of its records, and what a reference to it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def record_key(source: str, id: str) -> str:
    """Return the key of a document's records: ``source|id``."""
    return f"{source}|{id}"


def reference_key(reference: Mapping[str, Any]) -> str:
    """Return the key of the document that ``reference`` (or the document itself) names."""
    return f"{reference['source']}|{reference['id']}"

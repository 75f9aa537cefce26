"""What a document must keep beyond its Avro contract, so that no rule downstream meets nonsense.

This is the one face of schemas.bounds (lengths and ranges), closed_sets, rules, totals and checks.
"""

from __future__ import annotations

from schemas.bounds import LONGEST_SOURCE, SHORT_BODY, compile_bounds, is_source
from schemas.catalogue import DOCUMENTS
from schemas.closed_sets import CLOSED_SETS
from schemas.codec import Document, Rejected
from schemas.rules import RULES


def violations(
    document_type: str, document: Document, size: int = SHORT_BODY + 1
) -> Rejected | None:
    """Return why ``document`` is refused, or None if it keeps the rules of DOMAIN.md section 2.

    The codes are listed in ``schemas.reasons``.

    Args:
        document_type: the catalogue's name for it (``invoice``).
        document: as decoded.
        size: of its Avro body in bytes, where it is known: a short one is checked faster.
    """
    source = document["source"]
    if not is_source(source):
        return Rejected(
            "source",
            f"The source is {source[: LONGEST_SOURCE + 1]!r}; it is not empty, without '|', and"
            f" of at most {LONGEST_SOURCE} characters.",
        )
    if not document["id"]:
        return Rejected("id", "The id is empty; it names the document in its source.")
    if document["version"] <= 0:
        return Rejected("version", f"The version is {document['version']}; it is above 0.")
    for field, allowed in _ALLOWED.get(document_type, ()):
        if document[field] not in allowed:
            return _not_of(field, document, CLOSED_SETS[document_type, field])
    bounds = _BOUNDS if size > SHORT_BODY else _BOUNDS_OF_SHORT
    refused = bounds[document_type](document)
    if refused is not None:
        return refused
    check = RULES.get(document_type)
    return check(document) if check is not None else None


def _not_of(field: str, document: Document, words: frozenset[str]) -> Rejected:
    listed = ", ".join(sorted(words))
    return Rejected(field, f"The {field} is {document[field][:200]!r}, not one of {listed}.")


def _allowed(document_type: str) -> tuple[tuple[str, frozenset[str | None]], ...]:
    """Return the closed sets of a type, with null where its contract lets the field be null."""
    fields = DOCUMENTS[document_type].schema["fields"]
    types = {field["name"]: field["type"] for field in fields}
    return tuple(
        (name, words | {None} if isinstance(types[name], list) else words)
        for (document, name), words in CLOSED_SETS.items()
        if document == document_type
    )


_ALLOWED = {document: _allowed(document) for document, _ in CLOSED_SETS}
_EVENTS = [topic for topic in DOCUMENTS.values() if topic.kind == "event"]
_BOUNDS = {topic.document: compile_bounds(topic.schema) for topic in _EVENTS}
_BOUNDS_OF_SHORT = {topic.document: compile_bounds(topic.schema, texts=False) for topic in _EVENTS}

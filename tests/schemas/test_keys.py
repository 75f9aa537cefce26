"""The key of a document, from its parts and from a reference to it."""

from __future__ import annotations

from schemas.keys import record_key, reference_key


def test_the_key_joins_source_and_id() -> None:
    assert record_key("erp", "4711") == "erp|4711"
    assert reference_key({"source": "erp", "id": "4711"}) == "erp|4711"

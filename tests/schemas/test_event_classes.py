"""schemas/events.py is what its generator writes now, and says what decoded documents hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from schemas import events
from schemas.catalogue import DOCUMENTS, TOPICS, CatalogueError, Topic
from schemas.codec import Decoded, decode_batch, encode
from schemas.event_classes import events_module
from schemas.events import Invoice
from tests.schemas.plain import from_plain


def fits(value: Any, wanted: Any) -> bool:
    """Whether a value is of a type, exactly: a bool is no int, an instant no date."""
    if is_typeddict(wanted):
        hints = get_type_hints(wanted)
        if type(value) is not dict:
            return False
        return value.keys() == hints.keys() and all(fits(value[key], hints[key]) for key in hints)
    if get_origin(wanted) is list:
        return type(value) is list and all(fits(each, *get_args(wanted)) for each in value)
    if branches := get_args(wanted):
        return any(fits(value, branch) for branch in branches)
    return type(value) is wanted


def test_the_module_is_what_the_contracts_make_it() -> None:
    written = Path(events.__file__).read_text(encoding="utf-8")
    assert written == events_module(TOPICS.values()), "run: python -m schemas.event_classes"


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_a_decoded_document_is_of_its_class(topic: Topic) -> None:
    wanted = getattr(events, topic.schema["name"])
    for plain in topic.golden()["valid"]:
        [decoded] = decode_batch(topic, [encode(topic, from_plain(topic, plain))])
        assert isinstance(decoded, Decoded)
        assert fits(decoded.document, wanted)
        assert not fits(decoded.document | {"version": "1"}, wanted)


def test_a_class_is_found_by_the_name_of_the_document() -> None:
    hints = get_type_hints(Invoice)
    assert hints["instalments"] == list[events.Instalment]
    assert hints["terms"] == events.Terms | None
    assert list(hints) == [field["name"] for field in DOCUMENTS["invoice"].schema["fields"]]


def test_one_name_is_of_one_record() -> None:
    rate = DOCUMENTS["rate"]
    other = replace(rate, schema={**rate.schema, "name": "Payment"})
    with pytest.raises(CatalogueError, match="a record Payment"):
        events_module([*TOPICS.values(), other])

"""Each event of a body is found again as it was sent, however the body holds several."""

from __future__ import annotations

import json

import pytest

from api import progress
from api.event_reading import Content, Reading, read_events
from api.media_types import BATCH, JSON, STRUCTURED
from api.originals import originals
from api.problems import Refused
from connectors.mapping.values import Rejection
from connectors.pushed.settling import Pushed, Verdict
from hub.settings import Api
from tests.api.doors import invoice

READING = Reading(Api(), 1_772_000_000_000_000, "r", frozenset())


@pytest.mark.parametrize(
    ("media_type", "body", "kind", "texts"),
    [
        (JSON, '\ufeff[ {"a": "],é"} ,7,\n"x" ]', JSON, ['{"a": "],é"}', "7", '"x"']),
        (JSON, "[]", JSON, []),
        (BATCH, '[{"a": 1.10}]', STRUCTURED, ['{"a": 1.10}']),
        ("application/x-ndjson", '{"a": 1}\r\n\n {"b": \n', JSON, ['{"a": 1}\r', ' {"b": ']),
    ],
)
def test_each_event_is_found_as_it_was_sent(
    media_type: str, body: str, kind: str, texts: list[str]
) -> None:
    found = originals(media_type, body.encode(), single=False)
    assert [(one.media_type, one.body.decode()) for one in found] == [(kind, one) for one in texts]
    assert all(one.is_whole for one in found)


def test_refused_events_carry_what_was_sent_and_the_others_do_not() -> None:
    texts = [json.dumps(invoice("1")), '{"id": "2"}', json.dumps(invoice("3", currency="EURO"))]
    body = f"[{','.join(texts)}]".encode()
    read = read_events("invoice", Content(JSON, {}, body), READING)
    found = [
        one.original.body.decode() if isinstance(one, Refused) and one.original else None
        for one in read.handed
    ]
    assert found == [None, texts[1], texts[2]]


def test_the_fates_of_a_share_are_read_back_as_they_were_written() -> None:
    bodies = [invoice("1"), invoice("2", currency="EURO"), invoice("3"), invoice("4")]
    read = read_events("invoice", Content(JSON, {}, json.dumps(bodies).encode()), READING)
    handed = read.handed
    refused = handed[1]
    assert isinstance(refused, Refused)
    too_large = Rejection("too_large", "it is too large", "r:2", "invoice", {})
    shares = progress.written(handed[:2], [Verdict(7, False), refused])
    shares += progress.written(handed[2:3], [too_large])
    first, second, third = progress.read(shares, handed)
    assert (first, second) == (Verdict(7, False), refused)
    assert isinstance(third, Refused) and isinstance(handed[2], Pushed)
    assert (third.code, third.detail, third.id) == ("too_large", "it is too large", "3")
    assert progress.read(b"", handed) == []
    # What could be read then and cannot be now begins anew.
    assert progress.read(shares, [handed[1], *handed[1:]]) == []

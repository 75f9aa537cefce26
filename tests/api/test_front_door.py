"""More requests than may run are told when to come back, as a problem and not by the server."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import orjson
import pytest
from starlette.types import Message

from api.events import EventDoor
from api.front_door import FrontDoor

PATHS = ("/v1/events/invoice", "/v1/hooks/desk", "/subjects")


async def asked(door: FrontDoor, path: str) -> list[Message]:
    """What the door sends to who asks for a path."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    await door(scope, receive, send)
    return sent


@pytest.mark.parametrize("path", PATHS)
def test_a_request_beyond_those_that_may_run_is_told_when_to_come_back(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.front_door.MOST_AT_ONCE", 3)

    async def overload() -> tuple[list[Message], list[Message]]:
        over = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await over.wait()
            await send({"type": "http.response.start", "status": 204, "headers": []})

        # Nothing of these requests gets as far as to be published.
        door = FrontDoor(app, Mock(spec=EventDoor), None)  # type: ignore[arg-type]
        running = [asyncio.create_task(asked(door, "/healthz")) for _ in range(3)]
        await asyncio.sleep(0)
        refused = await asked(door, path)
        over.set()
        assert [(await one)[0]["status"] for one in running] == [204] * 3
        return refused, await asked(door, "/healthz")

    refused, afterwards = asyncio.run(overload())
    start, body = refused
    headers = dict(start["headers"])
    assert start["status"] == 503
    assert headers[b"content-type"] == b"application/problem+json"
    assert int(headers[b"retry-after"]) > 0
    assert orjson.loads(body["body"])["type"] == "urn:headrace:problem:unavailable"
    assert afterwards[0]["status"] == 204

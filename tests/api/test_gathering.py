"""A batch that fails is told so, and the thread goes on with the next."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from api.gathering import Gathering
from api.health import Readiness
from api.holding import HELD_S, wait_on
from api.problems import Problem
from api.replies import Reply
from hub.kafka import Cluster, KafkaError
from sinks.idempotency import Answered


@dataclass(slots=True)
class Entry:
    reply: Reply
    breaks: bool
    weight: int = 1
    held_until: float | None = None


class Away(Cluster):
    """A broker that nobody reaches, without sockets to nowhere."""

    def admin(self, **changes: Any) -> Any:
        raise KafkaError


def work(entries: list[Entry]) -> list[Entry]:
    if any(one.breaks for one in entries):
        raise LookupError("a fault of ours")
    Reply.deliver((one.reply, (Answered(202, b""), False)) for one in entries)
    return []


def test_a_batch_whose_work_raises_is_told_so_and_the_next_is_taken() -> None:
    async def asked() -> None:
        gathering: Gathering[Entry] = Gathering("test", work, at_once=1, most=10, pace_s=0.0)
        gathering.start()
        broken, sound = Entry(Reply(), breaks=True), Entry(Reply(), breaks=False)
        gathering.submit(broken)
        with pytest.raises(Problem) as failed:
            await broken.reply.within(5)
        assert failed.value.status == 500
        gathering.submit(sound)
        answered, _ = await sound.reply.within(5)
        assert answered.status == 202
        assert gathering.is_working()
        gathering.stop(5)
        assert not gathering.is_working()

    asyncio.run(asked())


def test_a_thread_that_has_ended_makes_the_door_not_ready() -> None:
    async def asked() -> dict[str, str]:
        nobody = "postgresql+psycopg://nobody@127.0.0.1:1/none"
        lives = {"events": lambda: True, "hooks": lambda: False}
        return await Readiness(Away(("127.0.0.1:1",)), nobody, lives).checks()

    checks = asyncio.run(asked())
    assert checks["events"] == "ok"
    assert "has ended" in checks["hooks"]


def test_what_waits_for_a_held_source_is_tried_again_for_a_while_and_then_given_up() -> None:
    async def tried() -> None:
        entry = Entry(Reply(), breaks=False)
        assert wait_on([entry], 100.0) == ([entry], [])
        assert wait_on([entry], 100.0 + HELD_S / 2) == ([entry], [])
        assert wait_on([entry], 100.0 + HELD_S) == ([], [entry])

    asyncio.run(tried())

"""The reply to a request that another thread works on, delivered into the loop that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from api.problems import Problem, unavailable
from sinks.idempotency import Answered

#: What is replied: an answer, and whether it was given before.
Replied = tuple[Answered, bool]


class Reply:
    """Made in the loop of the request, and given from any thread.

    ``on_given`` is called in the loop once the work is over, whether anybody still waits or not.
    """

    __slots__ = ("_future", "_loop", "_on_given")

    def __init__(self, on_given: Callable[[], None] | None = None) -> None:
        self._on_given = on_given
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Replied] = self._loop.create_future()

    @property
    def is_awaited(self) -> bool:
        """Whether anybody still waits."""
        return not self._future.done()

    async def within(self, seconds: float) -> Replied:
        """What is replied.

        Raises:
            Problem: the request was not carried out, or nothing came in time.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._future
        except TimeoutError as error:
            raise unavailable(
                "the broker or the database is away, or too much waits: try again, which is safe"
            ) from error

    @staticmethod
    def deliver(replies: Iterable[tuple[Reply, Replied | Problem]]) -> None:
        """Give replies, all those of a loop at once."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Reply, Replied | Problem]]] = {}
        for reply, said in replies:
            by_loop.setdefault(reply._loop, []).append((reply, said))
        for loop, several in by_loop.items():
            loop.call_soon_threadsafe(_give, several)


def _give(replies: list[tuple[Reply, Replied | Problem]]) -> None:
    for reply, said in replies:
        if reply._on_given is not None:
            reply._on_given()
        if reply._future.done():
            continue
        if isinstance(said, Problem):
            reply._future.set_exception(said)
        else:
            reply._future.set_result(said)

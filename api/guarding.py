"""Lets requests in: who may do what, how often, and how much they may send."""

from __future__ import annotations

from starlette.requests import Request

from api.authentication import Authentication, Caller
from api.rates import Rates
from hub.settings import Api

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """The rules of one door.

    Args:
        limits: of the door.
        authentication: knows the callers.
    """

    def __init__(self, limits: Api, authentication: Authentication) -> None:
        self.limits = limits
        self._authentication = authentication
        self._rates = Rates(limits.requests_per_second)

    async def publisher(self, request: Request) -> Caller:
        """Who publishes.

        Raises:
            Problem: they may not, or not so often.
        """
        caller = await self._authentication.caller(request, "publish")
        self._rates.count(caller.name)
        return caller

    def hook(self, source: str) -> None:
        """Count a call of a webhook whose signature was verified.

        Raises:
            Problem: it comes too often.
        """
        self._rates.count(f"hook:{source}")

    def unsigned(self, request: Request) -> None:
        """Count a call of a webhook that its source has not signed, against its address alone.

        Raises:
            Problem: they come too often.
        """
        address = request.client.host if request.client is not None else ""
        self._rates.count(f"unsigned:{address}")

    async def may_read(self, request: Request) -> None:
        """What concerns no business is open to this machine; others need a token.

        Raises:
            Problem: they may not read.
        """
        if not self.limits.is_private:
            await self._authentication.caller(request, "read")

    async def registry(self, request: Request) -> None:
        """Schemas are read as ``may_read`` has it, and changed with the scope operate.

        Raises:
            Problem: the caller may not.
        """
        if request.method in _READING:
            await self.may_read(request)
        else:
            await self._authentication.caller(request, "operate")

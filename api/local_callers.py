"""Keeps the pages of a browser out of a door that asks for no token."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from api.problems import Problem

_WITH_BODY = frozenset({"POST", "PUT"})


class LocalCallers:
    """The rules of a door without authentication, which only this machine reaches.

    A browser on this machine calls it for any page that it shows: with the page's ``Origin``, by a
    name of the page's own that leads to this machine, or with a body of no type, for which it asks
    nobody's leave.

    Args:
        host: the address that the door listens on.
    """

    def __init__(self, host: str) -> None:
        self._host = host

    def check(self, method: str, headers: Mapping[str, str]) -> None:
        """Refuse a request that may come from a page of elsewhere.

        Args:
            method: of the request.
            headers: of the request, their names in lower case.

        Raises:
            Problem: it may.
        """
        if not self._is_here(headers.get("host", "")):
            detail = (
                f"without authentication the door is called by its address ({self._host}) or as"
                " localhost"
            )
            raise Problem(403, "unknown_host", detail)
        origin = headers.get("origin")
        elsewhere = origin is not None and not self._is_here(origin.partition("://")[2])
        if elsewhere or headers.get("sec-fetch-site", "").lower() == "cross-site":
            detail = "without authentication no page of another site may call the door"
            raise Problem(403, "cross_site", detail)
        if method in _WITH_BODY and not headers.get("content-type"):
            raise Problem(
                415, "unsupported_media_type", "the request does not say its Content-Type"
            )

    def _is_here(self, place: str) -> bool:
        """Whether a host, with its port or without, is this machine."""
        try:
            name = urlsplit(f"//{place}").hostname or ""
            return name in ("localhost", self._host) or ip_address(name).is_loopback
        except ValueError:
            return False

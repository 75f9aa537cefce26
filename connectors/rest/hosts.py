"""Which hosts a source may be asked at: those that its configuration names, and no others."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from connectors.errors import SourceError


class Hosts:
    """The hosts of one source.

    A host that stands for an address within the company's own networks must be named in
    ``hosts``, or be written as that address: otherwise whoever answers for a public name could
    have the hub ask whatever it reaches.
    """

    def __init__(self, url: str, named: tuple[str, ...]) -> None:
        own = urlsplit(url)
        self._encrypted = own.scheme == "https"
        self._own = _place(url)
        self._named = frozenset(host.lower() for host in named)

    def check(self, url: str) -> None:
        """Look whether this address may be asked.

        Raises:
            SourceError: it may not; the message says what to do.
        """
        found = urlsplit(url)
        host = (found.hostname or "").lower()
        if found.scheme not in ("http", "https"):
            raise SourceError(f"the source points to {found.scheme}://, which is never asked")
        place = _place(url)
        if place != self._own and not {host, place} & self._named:
            raise SourceError(
                f"the source points to the host {place!r}, which is not asked: add it to 'hosts' of"
                " this source if it belongs to it"
            )
        if self._encrypted and found.scheme == "http":
            raise SourceError(f"the source points from https to http at {host!r}: not asked")
        if not {host, place} & self._named and not _is_literal(host):
            self._refuse_private(host)

    def _refuse_private(self, host: str) -> None:
        try:
            found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
        except OSError as error:
            message = f"the host {host!r} is not known: is it written rightly? ({error})"
            raise SourceError(message) from error
        private = sorted(one for one in found if not ip_address(one.split("%")[0]).is_global)
        if private:
            raise SourceError(
                f"the host {host!r} is at {private[0]}, an address that is not public: add it to"
                " 'hosts' of this source if that is intended"
            )


def _place(url: str) -> str:
    """Host and port, since other servers listen on the same host."""
    found = urlsplit(url)
    try:
        port = found.port
    except ValueError as error:
        raise SourceError(f"the port of {url} is none") from error
    return f"{found.hostname or ''}:{port or (443 if found.scheme == 'https' else 80)}"


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True

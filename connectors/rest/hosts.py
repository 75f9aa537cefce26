"""Which hosts a source may be asked at: those that its configuration names, and no others."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address
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
        if not self.is_own(url) and not self._is_named(url):
            raise SourceError(
                f"the source points to the host {_place(url)!r}, which is not asked: add it to"
                " 'hosts' of this source if it belongs to it"
            )
        if self._encrypted and found.scheme == "http":
            raise SourceError(f"the source points from https to http at {host!r}: not asked")

    def is_own(self, url: str) -> bool:
        """Whether it is the host and port of the source itself, which its credentials are for."""
        return _place(url) == self._own

    def addresses(self, url: str) -> list[str]:
        """The addresses that the host of ``url`` stands for now, in the order to try them.

        Whoever connects goes to one of them and does not look the name up again: another answer
        would not have been checked.

        Raises:
            SourceError: the name is not known, or one of its addresses may not be asked.
        """
        host = (urlsplit(url).hostname or "").lower()
        try:
            entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            message = f"the host {host!r} is not known: is it written rightly? ({error})"
            raise SourceError(message) from error
        found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        if not self._is_named(url) and not _is_literal(host):
            private = sorted(one for one in found if not _is_public(one))
            if private:
                raise SourceError(
                    f"the host {host!r} is at {private[0]}, an address that is not public: add it"
                    " to 'hosts' of this source if that is intended"
                )
        return found

    def _is_named(self, url: str) -> bool:
        return bool({(urlsplit(url).hostname or "").lower(), _place(url)} & self._named)


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


def _is_public(address: str) -> bool:
    found = ip_address(address.split("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped.is_global
    return found.is_global

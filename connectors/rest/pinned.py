"""Connects to the address that was checked, whatever the name stands for a moment later."""

from __future__ import annotations

import ssl

import httpx

from connectors.rest.hosts import Hosts


class PinnedTransport(httpx.BaseTransport):
    """Looks a host up once for each request, has it checked, and connects to what was found.

    The server is still asked by its name: in ``Host``, and where the connection is encrypted in
    the name that its certificate has to carry.

    Args:
        hosts: of the source; they say which addresses may be asked.
        context: with the authorities that may sign certificates.
    """

    def __init__(self, hosts: Hosts, context: ssl.SSLContext) -> None:
        self._hosts = hosts
        self._context = context
        #: By host: one that shares its address with another must not get its connections, whose
        #: certificate is for the other name.
        self._transports: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        transport = self._of(request.url.host)
        *others, last = self._hosts.addresses(str(request.url))
        for address in others:
            try:
                return transport.handle_request(_at(address, request))
            except httpx.ConnectError:
                continue
        return transport.handle_request(_at(last, request))

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()

    def _of(self, host: str) -> httpx.HTTPTransport:
        if host not in self._transports:
            # An environment that names a proxy would have credentials sent there.
            self._transports[host] = httpx.HTTPTransport(verify=self._context, trust_env=False)
        return self._transports[host]


def _at(address: str, request: httpx.Request) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode()},
    )

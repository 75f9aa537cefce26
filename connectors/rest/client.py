"""Asks an API: bounded, at its pace, again where that may help, and only hosts that are named."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urljoin

import httpx
import stamina

from connectors.errors import SourceError
from connectors.exact_json import decoded
from connectors.rest.hosts import Hosts
from connectors.rest.pinned import PinnedTransport
from hub.clock import utc_now
from hub.source_settings import RestSource

_LARGEST_REPLY = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_MOST_REDIRECTS = 5
_TRIES = 5
_PATIENCE_S = 30.0
_SHOWN = 200
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: ``query`` is added to ``url``, ``body`` is sent as JSON."""

    url: str
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came: the JSON, the address that gave it, and the one its Link header calls next."""

    content: Any
    url: str
    next: str | None = None


class NotThere(SourceError):
    """The API has no such thing (404, 410)."""


class _Passing(Exception):
    """A later try may succeed; ``pause_s`` is what the API asks for, if it asks."""

    def __init__(self, message: str, pause_s: float | None = None) -> None:
        super().__init__(message)
        self.pause_s = pause_s


class RestClient:
    """A client for one source; not to be shared between threads."""

    def __init__(self, source: RestSource, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._hosts = Hosts(source.url, source.hosts)
        self._clock = clock
        self._due = 0.0
        self._not_before = 0.0
        self._opened: httpx.Client | None = None

    @property
    def _client(self) -> httpx.Client:
        if self._opened is None:
            authority = self._source.ca_file
            context = ssl.create_default_context(
                cafile=None if authority is None else str(authority)
            )
            self._opened = httpx.Client(
                headers={"Accept": "application/json"},
                timeout=self._source.timeout_seconds,
                follow_redirects=False,
                transport=PinnedTransport(self._hosts, context),
                trust_env=False,
            )
        return self._opened

    def close(self) -> None:
        """Close the connections, if there are any; the next question opens new ones."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def ask(self, request: Request) -> Reply:
        """Ask, and again after a pause where that may help.

        Raises:
            NotThere: the API has no such thing.
            SourceError: it refuses, or does not answer in a usable way; the message says what to
                do. The credentials are in no message.
        """
        left = self._not_before - self._clock()
        if left > 0:
            raise SourceError(f"{self._source.url} asked to be left alone for {left:.0f} s more")
        try:
            for attempt in stamina.retry_context(
                on=_pause, attempts=_TRIES, timeout=_PATIENCE_S, wait_initial=0.2, wait_max=5.0
            ):
                with attempt:
                    return self._once(request)
        except _Passing as error:
            if error.pause_s is not None:
                self._not_before = self._clock() + error.pause_s
            raise SourceError(f"{request.url}: {error}") from error
        raise AssertionError("unreachable: the retries either return or raise")

    def _once(self, request: Request) -> Reply:
        query: Mapping[str, str] | None = request.query or None
        url = request.url
        for _ in range(_MOST_REDIRECTS):
            self._hosts.check(url)
            self._wait_for_turn()
            try:
                with self._client.stream(
                    request.method,
                    url,
                    params=query,
                    json=request.body,
                    headers={**self._credentials(url), **request.headers},
                ) as response:
                    if not response.is_redirect:
                        return self._reply(response)
                    url, query = urljoin(str(response.url), response.headers["location"]), None
            except (httpx.TransportError, httpx.DecodingError) as error:
                raise self._unreachable(error) from error
            except httpx.InvalidURL as error:
                raise SourceError(f"the source points to an address that is none: {url}") from error
            if request.method != "GET":
                raise SourceError(f"{request.url} answers with a redirect to {url}: write that one")
        raise SourceError(f"{request.url} answers with one redirect after the other")

    def _credentials(self, url: str) -> Mapping[str, str]:
        """``headers`` of the source; other hosts, though they may be asked, never see them."""
        return self._source.headers if self._hosts.is_own(url) else {}

    def _unreachable(self, error: Exception) -> Exception:
        if isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in str(error):
            return SourceError(
                f"the certificate of {self._source.url} is not trusted ({error}): name the file of"
                " its authority as 'ca_file' of this source"
            )
        kind = type(error).__name__
        return _Passing(
            f"no whole answer within {self._source.timeout_seconds:g} s ({kind}: {error})"
        )

    def _wait_for_turn(self) -> None:
        pause = self._due - self._clock()
        if pause > 0:
            time.sleep(pause)
        self._due = max(self._due, self._clock()) + 1 / self._source.requests_per_second

    def _reply(self, response: httpx.Response) -> Reply:
        body = self._body(response)
        if not response.is_success:
            self._refuse(response, body)
        try:
            content = decoded(body.decode())
        except ValueError as error:
            kind = response.headers.get("content-type", "no type")
            message = f"{response.url.copy_with(query=None)} answers with {kind} that is no JSON"
            raise SourceError(f"{message} ({error}): is it the API's address?") from error
        link = response.links.get("next", {}).get("url")
        url = str(response.url)
        return Reply(content, url, None if link is None else urljoin(url, link))

    def _refuse(self, response: httpx.Response, body: bytes) -> NoReturn:
        status, url = response.status_code, response.url.copy_with(query=None)
        told = " ".join(body[: 4 * _SHOWN].decode(errors="replace").split())[:_SHOWN]
        said = f"{url} answers {status} {response.reason_phrase} ({told})"
        if status in _PASSING:
            raise _Passing(said, _asked_pause(response.headers.get("retry-after")))
        closed = status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        if closed and not self._hosts.is_own(str(response.url)):
            raise SourceError(
                f"{said}: 'headers' are sent only to the host of 'url'; if this host needs them,"
                " make it the 'url' of a source"
            )
        if status == httpx.codes.UNAUTHORIZED:
            raise SourceError(f"{said}: are the credentials in 'headers' of this source right?")
        if status == httpx.codes.FORBIDDEN:
            raise SourceError(f"{said}: these credentials may not read that; give them the right")
        if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            raise NotThere(f"{said}: are 'url' and the stream's 'resource' right?")
        raise SourceError(f"{said}: look at the stream's 'read' in the mapping")

    def _body(self, response: httpx.Response) -> bytes:
        read = bytearray()
        deadline = self._clock() + 4 * self._source.timeout_seconds
        for chunk in response.iter_bytes(_CHUNK):
            read += chunk
            if len(read) > _LARGEST_REPLY:
                raise SourceError(
                    f"an answer is larger than {_LARGEST_REPLY >> 20} MiB: ask for fewer records at"
                    " once ('page' of 'read')"
                )
            if self._clock() > deadline:
                raise _Passing("the answer comes too slowly")
        return bytes(read)


def _pause(error: Exception) -> bool | float:
    """Whether to try again, and after how many seconds if the API says so."""
    if not isinstance(error, _Passing):
        return False
    if error.pause_s is None:
        return True
    return error.pause_s if error.pause_s <= _PATIENCE_S else False


def _asked_pause(text: str | None) -> float | None:
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(0.0, (at - utc_now()).total_seconds())

"""Problems as RFC 9457 has them: what went wrong, for machines a code, for people a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from api.originals import Original

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one value: its JSON pointer in the body, a code, a sentence."""

    pointer: str
    code: str
    detail: str

    def as_json(self) -> dict[str, str]:
        """As it stands among the ``errors`` of a problem."""
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


class Problem(Exception):
    """A request that is not carried out.

    Args:
        status: of HTTP.
        code: stable, for machines; the last part of the problem's ``type``.
        detail: a sentence that says what to do.
        faults: the values that are wrong.
        retry_after: seconds after which the same request may be carried out.
        more: further members of the problem, such as the types that are known.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        faults: Sequence[Fault] = (),
        *,
        retry_after: int | None = None,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.faults = faults
        self.retry_after = retry_after
        self.more = more or {}
        self.headers = dict(headers or {})

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is made again of its arguments, which are fewer than those of a problem.
        return _again, (self.status, self.code, self.detail, self.faults, self.__dict__)

    def as_json(self) -> dict[str, Any]:
        """The members of the problem."""
        members: dict[str, Any] = {
            "type": f"urn:headrace:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        if self.faults:
            members["errors"] = [fault.as_json() for fault in self.faults]
        return members

    def body(self) -> bytes:
        """The problem as JSON."""
        return orjson.dumps(self.as_json())

    def response(self) -> Response:
        """The answer that tells it."""
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return Response(self.body(), self.status, headers, MEDIA_TYPE)


def _again(
    status: int, code: str, detail: str, faults: Sequence[Fault], more: Mapping[str, Any]
) -> Problem:
    problem = Problem(status, code, detail, faults)
    problem.__dict__.update(more)
    return problem


def unavailable(detail: str, retry_after: int = 5) -> Problem:
    """What is not possible now, and may be soon: trying again is safe."""
    return Problem(503, "unavailable", detail, retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class Refused:
    """One event of a request that cannot be taken, with what it said its id was.

    ``document`` is its type, where it could be read as one of that; ``original`` what was sent.
    """

    code: str
    detail: str
    faults: Sequence[Fault] = field(default=())
    id: str | None = None
    document: str | None = None
    original: Original | None = None

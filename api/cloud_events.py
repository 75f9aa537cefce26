"""CloudEvents over HTTP: the event within a request, in binary, structured and batch mode."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.exceptions import CloudEventValidationError, MissingRequiredAttributeError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from api.problems import Fault, Refused
from connectors.pushed.json_text import parse_json

#: Kafka's headers of ours name a document's system in this way.
_SOURCES = "/sources/"
_DATA = ("data", "data_base64")


@dataclass(frozen=True, slots=True)
class EventText:
    """An event as it was sent: its document as JSON values, the pointer to it in the body, and
    its type, where the event itself says so."""

    plain: Any
    pointer: str = ""
    type: str | None = None


class _Stated(CloudEvent):
    """An event that has what it states: the package makes up an id and a time that are missing."""

    def __init__(self, attributes: dict[str, Any], data: Any = None) -> None:
        for name in ("id", "specversion"):
            if name not in attributes:
                raise CloudEventValidationError({name: [MissingRequiredAttributeError(name)]})
        self.stated_time: datetime | None = attributes.get("time")
        super().__init__(attributes, data)


class _Untouched(JSONFormat):
    """Leaves the data as they came: the package would read numbers as binary floats."""

    def read_data(self, body: bytes, datacontenttype: str | None) -> bytes:
        return body


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the headers carry an event's attributes."""
    return any(name.startswith("ce-") for name in headers)


def binary(headers: Mapping[str, str], body: bytes, deepest: int) -> EventText | Refused:
    """The event whose attributes are in the headers and whose data are the body.

    Args:
        headers: of the request, their names in lower case.
        body: JSON.
        deepest: how many objects and lists may stand within each other.

    Raises:
        BrokenJson: the body is no JSON.
    """
    try:
        event = from_binary(HTTPMessage(dict(headers), body), _Untouched(), _Stated)
    except CloudEventValidationError as error:
        return _invalid(error, "")
    except ValueError as error:
        return Refused("not_a_cloudevent", f"the header ce-time is no time: {error}")
    assert isinstance(event, _Stated)
    return _event(event, parse_json(body, deepest), "")


def structured(value: Any, pointer: str, deepest: int) -> EventText | Refused:
    """The event that an object of the JSON format is.

    Args:
        value: the object.
        pointer: to it in the body.
        deepest: how many objects and lists may stand within each other.
    """
    if not isinstance(value, dict):
        return _refused(pointer, "a CloudEvent is an object")
    attributes = {
        name: found for name, found in value.items() if name not in _DATA and found is not None
    }
    if isinstance(attributes.get("time"), str):
        try:
            attributes["time"] = datetime.fromisoformat(attributes["time"])
        except ValueError as error:
            return _refused(f"{pointer}/time", f"the attribute time is no time: {error}")
    data, within = value.get("data"), f"{pointer}/data"
    if "data" not in value:
        within = f"{pointer}/data_base64"
        try:
            data = parse_json(base64.b64decode(value["data_base64"], validate=True), deepest)
        except KeyError:
            return _refused(pointer, "the event has no data, which are the document")
        except (ValueError, TypeError) as error:
            return _refused(within, f"the data are no JSON: {error}")
    try:
        event = _Stated(attributes)
    except CloudEventValidationError as error:
        return _invalid(error, pointer)
    return _event(event, data, within)


def _event(event: _Stated, data: Any, pointer: str) -> EventText:
    """Attributes stand in where the document leaves something open."""
    if isinstance(data, dict):
        data = dict(data)
        data.setdefault("source", unquote(event.get_source().removeprefix(_SOURCES)))
        if event.get_subject():
            data.setdefault("id", event.get_subject())
        if event.stated_time is not None:
            data.setdefault("occurred_at", event.stated_time.isoformat())
    return EventText(data, pointer, event.get_type())


def _invalid(error: CloudEventValidationError, pointer: str) -> Refused:
    attribute, errors = next(iter(error.errors.items()))
    return _refused(f"{pointer}/{attribute}", str(errors[0]))


def _refused(pointer: str, detail: str) -> Refused:
    code = "not_a_cloudevent"
    return Refused(code, detail, [Fault(pointer, code, detail)])

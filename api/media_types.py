"""The media types of what is published."""

from __future__ import annotations

JSON = "application/json"
LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
#: CloudEvents as JSON, one and several.
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

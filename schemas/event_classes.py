"""Writes schemas/events.py, the types of decoded documents, from the contracts.

``python -m schemas.event_classes`` writes it anew after a contract has changed.

The types are TypedDicts: a decoded document is a dict, as the compiled reader makes it, and a
type checker then knows its fields. Dataclasses or Pydantic models would have to be made of each
document once more, on the path that every event takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from schemas.catalogue import TOPICS, CatalogueError, Topic
from schemas.writing import CLASSES

_HEAD = '''"""What a decoded document holds, by type; made from avro/ by schemas.event_classes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict
'''
_WIDTH = 100


def events_module(topics: Iterable[Topic]) -> str:
    """Return the text of the module with a class for each record of the contracts.

    Raises ``CatalogueError`` where two contracts have records of one name with other fields.
    """
    classes: dict[str, tuple[str, str]] = {}
    for topic in topics:
        _name_records(topic.schema, f"On {topic.name}: ", classes)
    return _HEAD + "".join(text for text, _ in classes.values())


def _name_records(schema: Any, where: str, classes: dict[str, tuple[str, str]]) -> None:
    """Add the records within ``schema``, and then itself if it is one."""
    if isinstance(schema, list):
        for branch in schema:
            _name_records(branch, where, classes)
    elif isinstance(schema, Mapping) and schema["type"] == "array":
        _name_records(schema["items"], where, classes)
    elif isinstance(schema, Mapping) and schema["type"] == "record":
        for field in schema["fields"]:
            _name_records(field["type"], "", classes)
        lines = [f"    {field['name']}: {_type(field['type'])}" for field in schema["fields"]]
        name, fields = schema["name"], "\n".join(lines)
        if name not in classes:
            doc = _docstring(where + schema["doc"])
            classes[name] = (f"\n\nclass {name}(TypedDict):\n{doc}\n\n{fields}\n", fields)
        elif classes[name][1] != fields:
            raise CatalogueError(f"Two contracts have a record {name} with other fields.")


def _type(schema: Any) -> str:
    if isinstance(schema, list):
        return f"{_type(schema[1])} | None"
    if isinstance(schema, str):
        return CLASSES.get(schema) or schema.rpartition(".")[2]
    if schema["type"] == "array":
        return f"list[{_type(schema['items'])}]"
    if schema["type"] == "record":
        return str(schema["name"])
    return CLASSES[schema["logicalType"]]


def _docstring(text: str) -> str:
    if len(f'    """{text}"""') <= _WIDTH:
        return f'    """{text}"""'
    # Narrower, so that it is never one line: a formatter would join the quotes to that.
    folded = fill(text, _WIDTH - 10, initial_indent='    """', subsequent_indent="    ")
    return f'{folded}\n    """'


if __name__ == "__main__":
    module = Path(__file__).with_name("events.py")
    module.write_text(events_module(TOPICS.values()), encoding="utf-8")

"""The command ``headrace``, but a record with a magic text kills the process that decodes it."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Any

from ops.cli import main
from schemas.codec import decode_batch
from streams import ingest

MAGIC = b"this record kills"


def _decode_or_die(topic: Any, values: Sequence[bytes | None]) -> Any:
    if any(value is not None and MAGIC in value for value in values):
        os.kill(os.getpid(), signal.SIGKILL)
    return decode_batch(topic, values)


if __name__ == "__main__":
    setattr(ingest, "decode_batch", _decode_or_die)  # noqa: B010 - it is no part of the interface
    main()

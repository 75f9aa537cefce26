"""Collects garbage rarely while records are processed by the thousand."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Look for cyclic garbage rarely, in the whole process; also a decorator.

    Batches make hundreds of thousands of objects without cycles: looking at them each time took a
    third of a worker's time and of a rebuild's, and a sixth of a source's.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()

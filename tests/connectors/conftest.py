"""Fixtures of the tests that read an API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.rest_server import Records, serving


@pytest.fixture
def records() -> Records:
    """What the API holds; empty at first."""
    return Records()


@pytest.fixture
def url(records: Records) -> Iterator[str]:
    """The address of a server that hands ``records`` out."""
    with serving(records) as address:
        yield address

"""The servers on which the hub takes the plants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.money import use_exact_arithmetic
from tests.plant.hub import Servers
from tests.stack import remove_data_folder, temporary_data_folder


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    use_exact_arithmetic()
    data = temporary_data_folder()
    with Servers(data) as servers:
        yield servers
    remove_data_folder(data)

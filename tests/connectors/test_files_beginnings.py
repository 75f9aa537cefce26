"""The digest of a file's beginning goes on with the place, and tells what counts from what not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files.beginnings import BLOCK, WHOLE, Beginning

LONG = 3 * WHOLE


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BinaryIO]:
    with (tmp_path_factory.mktemp("long") / "a.csv").open("w+b", buffering=0) as opened:
        opened.truncate(LONG)
        yield opened


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BinaryIO]:
    with (tmp_path_factory.mktemp("short") / "a.csv").open("w+b", buffering=0) as opened:
        opened.write(bytes(range(256)) * 1024)
        yield opened


@given(ends=st.lists(st.integers(0, 256 * 1024), min_size=1, max_size=6))
def test_digest_that_went_on_in_steps_is_that_of_one_step(short: BinaryIO, ends: list[int]) -> None:
    going_on = Beginning(short)
    assert [going_on.up_to(end) for end in ends] == [Beginning(short).up_to(end) for end in ends]


@pytest.mark.parametrize("end", [WHOLE - 1, WHOLE + 1, 2 * WHOLE, 2 * WHOLE + BLOCK + 1, LONG])
def test_digest_of_a_long_file_goes_on_from_wherever_it_stood(file: BinaryIO, end: int) -> None:
    going_on = Beginning(file)
    for before in (WHOLE // 2 + 1, WHOLE - 1, WHOLE + BLOCK // 2):
        if before < end:
            going_on.up_to(before)
    assert going_on.up_to(end) == Beginning(file).up_to(end)


@pytest.mark.parametrize(
    ("offset", "counts"),
    [
        (0, True),
        (WHOLE // 2 + 1, True),
        (WHOLE + BLOCK - 1, True),
        (WHOLE + BLOCK, False),
        (WHOLE + WHOLE // 64, True),
        (2 * WHOLE + BLOCK - 1, True),
        (2 * WHOLE + WHOLE // 64, False),
        (LONG - 1, False),
    ],
)
def test_change_counts_in_the_first_32_mib_and_in_the_blocks_behind_them(
    file: BinaryIO, offset: int, counts: bool
) -> None:
    before = Beginning(file).up_to(LONG)
    file.seek(offset)
    file.write(b"x")
    assert (Beginning(file).up_to(LONG) != before) == counts
    file.seek(offset)
    file.write(b"\0")
    assert Beginning(file).up_to(LONG) == before

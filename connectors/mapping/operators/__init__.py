"""The operators of the mapping language, one family per module; importing this registers them."""

from connectors.mapping.operators import choices, numbers, records, tests, texts, times

__all__ = ["choices", "numbers", "records", "tests", "texts", "times"]

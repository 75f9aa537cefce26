"""Invented records in the formats of the real ones, run through what `make real` runs."""

"""Tests of the contracts, the catalogue and the codec."""

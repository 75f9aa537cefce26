"""Runs the hub on records of real systems and compares the figures that are known of them."""

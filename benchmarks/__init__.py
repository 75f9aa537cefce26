"""Measurements of speed, latency and memory, each beside its limit or a peer from the same run."""

"""The streams: their rules by plain values, and all of them against the real PostgreSQL."""

"""The sinks against the real PostgreSQL, and the relay against the real broker."""

"""A real Kafka broker and a real PostgreSQL, kept in the hub's data folder."""

"""The hub over HTTP: ingest, queries, feeds, schema registry and console."""

"""Plumbing that knows no business: settings, clocks, money, Kafka clients, logs and metrics."""

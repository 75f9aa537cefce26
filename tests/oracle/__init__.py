"""A second, separate working-out of what the hub must answer, straight from the event log."""

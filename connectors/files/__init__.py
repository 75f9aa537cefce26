"""The files source: which files hold which stream, what in them is new, and their records."""

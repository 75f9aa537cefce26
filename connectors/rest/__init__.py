"""Reads paged JSON APIs: what changed since the last pass, page by page."""

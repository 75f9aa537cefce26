"""Drafts a mapping from records that nobody has mapped yet."""

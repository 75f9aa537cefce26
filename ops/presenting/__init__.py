"""Answers as tables for people; what they show is what the JSON says."""

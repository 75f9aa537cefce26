"""Tests of the HTTP door: requests by real clients over loopback."""

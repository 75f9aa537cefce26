"""Faults at random moments, and the proof after each that nothing was lost or counted twice."""

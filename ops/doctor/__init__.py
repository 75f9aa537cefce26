"""Looks at all that a hub needs, and says of each part what is wrong and what to do."""

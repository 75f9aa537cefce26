"""The command, from its help to a whole run."""

"""The commands of ``headrace``, one module a group; heavy imports stay inside the commands."""

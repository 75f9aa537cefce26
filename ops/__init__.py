"""The watch: command line, supervisor, embedded broker and database, status, replay and rebuild."""

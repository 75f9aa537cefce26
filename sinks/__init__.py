"""Where results stand and leave: facts, views, offsets, outbox, dead letters and the relay."""

"""What the measurements stand on: a history that is laid in, and a peer that does the same job."""

"""Records that others hand in while the hub runs: documents as they are, and records to map."""

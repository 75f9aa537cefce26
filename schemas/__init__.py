"""The hub's language: event contracts, golden examples, the topic catalogue and the one codec."""

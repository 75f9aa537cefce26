"""The sample plant: what it is, and that the hub makes of it what is true."""

"""The works side of the plant: what is made, shipped and mended, and who calls."""

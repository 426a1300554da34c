"""What to run on a host and its guests, and in what order, against a small Shell protocol."""

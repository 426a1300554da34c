"""A simulated ESXi host with guests, behind a real SSH server on loopback."""

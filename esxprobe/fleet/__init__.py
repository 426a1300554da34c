"""Many captures: where they lie, who judges them (this process, a pool, a cluster), and what they say together."""

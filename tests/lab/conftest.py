from labs import open_lab  # noqa: F401

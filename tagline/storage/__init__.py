"""Photo files: the storage protocol and its providers."""

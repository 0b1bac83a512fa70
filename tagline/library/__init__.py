"""The use cases: the only place where storage, metadata, index and auth meet."""

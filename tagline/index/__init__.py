"""The photo index: TinyDB behind the ``PhotoIndex`` protocol."""

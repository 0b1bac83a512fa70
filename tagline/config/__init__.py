"""Settings from the environment, and the making of a library from them."""

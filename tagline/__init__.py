"""Tagline: a photo directory served, indexed and described over HTTP."""

__version__ = "0.1.0"

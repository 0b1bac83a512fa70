"""Keeping the index equal to the photo directory."""

"""Thumbnails and previews: made once, in a process of their own, and kept.

Nothing is exported here, so that the worker process loads no more than it needs: ask ``service``
for pictures, ``recipe`` for what they are to be.
"""

"""The verbs of ``cwt``, one per module."""

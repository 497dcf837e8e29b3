"""What a step does when it runs.

``command`` says what is run: argv, folder and variables; it is pure and cheap to import. ``process`` runs it, over
``terminal``, which is lent to it, and ``signals``, which reach it. They are imported only where something runs, so
nothing is re-exported here: a start that finds everything up to date pays for neither signals nor pipes.

Knows nothing of doit and nothing of what is up to date.
"""

__all__ = ("command", "process", "signals", "terminal")

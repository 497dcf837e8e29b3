"""Models -> steps and edges. Pure: no file, no process, no doit.

``compiler`` is the way in: :func:`~cwtasks.graph.compiler.compile_steps` makes a graph of steps (``step``).
``arguments`` gives arguments their values, ``order`` adds what running side by side needs, ``quoting`` knows how words
become text.
Nothing is imported here, so that a list of tasks does not pay for the compiler.
"""

"""From what a manifest asks for to environments one can run in: lock, install, and whether that is to be done at all.

``provision`` is the door. ``plan`` says what follows from the manifest alone, ``solving`` makes a lock, ``prefix``
makes an environment of it, ``memory`` keeps the answers that cost too much for every start. The room knows locks,
engines and activation; no step, no state of steps, no doit.

Nothing is re-exported: a start that finds everything up to date needs only some of it.
"""

"""Environments in the words of other tools: what a workspace says, exported, and what their files say, imported.

``formats`` is the table of all that can be written, ``asked`` what is asked for. ``explicit`` and ``conda_lock`` write
what is locked, ``environment_yaml`` what the manifest asks for; ``environment_file`` reads such a file. Each says what
its format cannot say. The room knows manifests and locks; it solves nothing, and writes no file.

Nothing is re-exported: who writes one format needs no other.
"""

"""doit for conda workspaces: one cached graph from the manifest to the tasks.

The rooms, from the lowest floor up; a room imports only from floors below its own:

==================  ================================================================================================
``exceptions``      every error a caller may want to catch, with its own hint
``places``          where a manifest may stand; ``host``: the machine in conda's words
``locking``         one process at a time; ``files``: files written whole or not at all
``models``          what a manifest says, as records
``manifests``       text -> models and back, for ``conda.toml``, ``pixi.toml`` and ``pyproject.toml``
``environments``    features x platforms -> what each environment offers; where pixi and conda-workspaces differ
``settings``        ``CWTASKS_*`` variables and ``[tool.cwtasks]``
``templates``       rendering of ``{{ … }}``
``globs``           input and output patterns -> files, with one walk for all
``requirements``    environment x platform -> what a solve has to satisfy
``graph``           models -> steps and edges; pure
``lockfile``        conda.lock and pixi.lock: reading, writing, and whether one still answers the workspace
``engines``         solve, fetch, install behind one protocol
``exchange``        what other tools' files say of environments: written from manifest or lock, and read
``activation``      prefix -> the variables a command runs with
``provision``       requirements -> lock -> prefixes, and whether that is to be done at all
``archive``         the workspace as one file: packed, proven, unpacked, installed from
``steps``           what a step does when it runs
``state``           what is remembered between runs, and why a step is out of date
``doit_plugin``     loader, commands, runner, reporter, backend: where doit comes in
``dodo``, ``cli``   the other two doors: ``from cwtasks.dodo import *`` in a ``dodo.py``, and the ``cwt`` command
==================  ================================================================================================

Words, one per thing:

workspace      a project with a manifest
feature        a reusable part of environments; an environment is a named combination of features
target         the tables of one platform (or family of platforms)
task           a named command of the manifest
step           a task in one environment with one set of arguments: the unit of the graph
inputs         the files a step reads; outputs: the files it writes
digest         of one file's content; fingerprint: of all a step depends on
record         what is remembered of a step's last success
member         a file, link or folder of an archive; its receipt: the signed or unsigned statement that proves it
bundle         package files that an archive carries along
doit task      doit's unit, made from a step; only ``doit_plugin`` knows it
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__"]

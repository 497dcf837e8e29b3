"""``python -m cwtasks`` is the ``cwt`` command."""

from cwtasks.cli import main

raise SystemExit(main())

"""Archives of workspaces: made, looked into, proven and unpacked.

:mod:`.receipts` proves what is in one, by way of :mod:`.documents` (JSON with limits), :mod:`.inventory` (the packages)
and :mod:`.signing`; :mod:`.sbom` lists the packages for other tools. Knows nothing of steps or doit.
"""

"""Archives of workspaces: looked into, proven and unpacked.

:mod:`.limits` says how much an archive may ask for, :mod:`.decoding` turns a compressed file into a stream,
:mod:`.tarstream` a stream into members, :mod:`.members` tells which of them are safe, and :mod:`.extraction` unpacks
them through :mod:`.staging`. :mod:`.receipts` proves what is in one, by way of :mod:`.documents` (JSON with limits),
:mod:`.inventory` (the packages) and :mod:`.signing`; :mod:`.sbom` lists the packages for other tools. Knows nothing of
steps or doit.
"""

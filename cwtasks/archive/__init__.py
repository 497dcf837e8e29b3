"""Archives of workspaces: made, looked into, proven and unpacked.

:mod:`.limits` says how much an archive may ask for, :mod:`.decoding` turns a compressed file into a stream,
:mod:`.tarstream` a stream into members, :mod:`.members` tells which of them are safe, and :mod:`.extraction` unpacks
them through :mod:`.staging`. Knows nothing of steps or doit.
"""

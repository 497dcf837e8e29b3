"""doit's commands as they are in a workspace, one verb per file."""

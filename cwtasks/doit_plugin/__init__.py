"""Where doit meets the workspace: loader, commands, runner, reporter, backend. The only room that imports doit."""

"""Why stages run: which file, parameter, tool version, command or output differs, from what to what."""

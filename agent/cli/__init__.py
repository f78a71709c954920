"""The command line: what it accepts, what each command does, and how answers look at a terminal."""

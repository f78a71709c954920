"""``python -m agent.cli`` is ``whenabouts``."""

from agent.cli.main import run

run()

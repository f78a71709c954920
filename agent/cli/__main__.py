"""``python -m agent.cli`` is ``whenabouts``."""

from agent.cli.main import run

if __name__ == "__main__":
    run()

"""Your own agent that can look into videos: LangChain's ``create_agent`` with one tool.

python examples/own_agent.py openai:gpt-5-mini lobby.mp4 "When does the second visitor come?"
"""

import sys

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel

from agent.api import Grounder
from agent.tool import make_find_moment


def answer(model: str | BaseChatModel, video: str, question: str, *, grounder: Grounder) -> str:
    """Let a model answer a question about a video; it may look as often as it likes."""
    agent = create_agent(
        model,
        tools=[make_find_moment(grounder, video=video)],
        system_prompt="Answer with times in seconds, and say what proves them.",
    )
    state = agent.invoke({"messages": [{"role": "user", "content": question}]})
    return str(state["messages"][-1].text)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(str(__doc__))
    with Grounder() as grounder:
        print(answer(*sys.argv[1:], grounder=grounder))

"""``whenabouts mcp``: the same questions and answers for agents that speak MCP."""

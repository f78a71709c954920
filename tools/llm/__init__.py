"""The one client of OpenAI-compatible services: calls, prices, limits."""

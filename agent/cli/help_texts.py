"""What ``--help`` shows below the options: examples, and exit codes."""

EXIT_CODES = """\
exit codes:
  0  found, or done
  1  not found, or cannot tell from these captions
  2  bad input, or a failure; the message says what to do
 70  a fault in whenabouts itself, with its traceback
130  interrupted (Ctrl-C)
"""

EXAMPLES = """\
examples:
  whenabouts ask match.mp4 'the title "half time" is on screen'
  whenabouts ask kitchen.mp4 "the chef cuts the pizza" --captions kitchen.jsonl
  whenabouts ask kitchen.mp4 "the screen goes black" --json
  whenabouts index *.mp4
"""

ASK_EXAMPLES = """\
examples:
  whenabouts ask lobby.mp4 "something enters" --clip entering.mp4
  whenabouts ask talk.mp4 'the text "Thank you" appears' --json
  whenabouts ask kitchen.mp4 "the chef cuts the pizza" --captions kitchen.jsonl
  whenabouts ask holidays/ "a dog runs into the sea"
  whenabouts ask lobby.mp4 "the third time somebody comes in" --within 1:00-9:30
  whenabouts ask --all "a dog runs into the sea" --limit 3
  whenabouts ask holiday.mp4 --image dog.jpg --sight siglip2-base    # find by picture
  whenabouts ask lobby.mp4 "something enters between 0:20 and 1:00" --export csv - > entering.csv
  whenabouts ask lobby.mp4 "somebody waves" --captioner openai:MODEL --reasoner similarity --verify
  whenabouts ask clip.mp4 "the cup falls" --captioner none --direct openai:MODEL
  whenabouts ask clip.mp4 "the cup falls" --direct openai:MODEL --every-path

MODEL is one that your service or server has: whenabouts setup looks which

which evidence answers: all that is there is asked, and the answer says which of it answers
  1. what is measured (light, colour, cuts, camera), read or said word for word, if asked for
  2. captions of what is seen and what is said, and frames themselves (--sight): the surest first,
     and what several point to is surer; a line says which agree
  3. what is measured of things: something enters, moves, leaves; before captions that hardly fit
which captions: those of --captions FILE, else of --captioner, else the last made by a file or an
  image model, else made now by: a service, a model on this disk, the classical describer

a captions file has one JSON object a line:
  {"t": 12.0, "caption": "what the frame at 12.0 s shows"}
  {"start_s": 12.0, "end_s": 14.0, "caption": "what happens from 12.0 s to 14.0 s"}
"""

CHAT_EXAMPLES = """\
examples:
  whenabouts chat lobby.mp4
  whenabouts chat lobby.mp4 yard.mp4 --thread break-in
  whenabouts chat --thread break-in            # continues where it ended
  whenabouts chat lobby.mp4 --json < turns.txt

inside: a question, a follow-up ("and after that?", "the second time", "cut that out"), or /help
"""

COMPLETION = """\
examples:
  eval "$(whenabouts completion bash)"               # in ~/.bashrc; the same for zsh
  whenabouts completion fish > ~/.config/fish/completions/whenabouts.fish
"""

REPLAY_EXAMPLES = """\
examples:
  whenabouts ask kitchen.mp4 "the chef cuts the pizza" --thread pizza
  whenabouts replay pizza --reasoner openai:gpt-5-mini
  whenabouts replay pizza --from watch --captioner openai:gpt-5-mini
  whenabouts replay pizza --reasoner openai:gpt-5-mini --prompts mine/
"""

SERVE_EXAMPLES = """\
examples:
  whenabouts serve holidays/ --open            # the page, at http://127.0.0.1:8765/
  whenabouts serve clips/ talks/ --port 0      # on a port that is free; the first line says which
  whenabouts serve clips/ --captioner openai:gpt-5-mini --max-usd 2
  WHENABOUTS_TOKEN=… whenabouts serve clips/ --address 0.0.0.0   # for other machines too

the API is at /api/v1; /api/v1/openapi.json describes it:
  curl -sT clip.mp4 -X POST 'http://127.0.0.1:8765/api/v1/videos?name=clip.mp4'
  curl -s http://127.0.0.1:8765/api/v1/jobs -H 'content-type: application/json' -d '{"video": "ID"}'
  curl -s http://127.0.0.1:8765/api/v1/videos/ID/ask -H 'content-type: application/json' \\
      -d '{"query": "a dog jumps"}'
"""

REEL_EXAMPLES = """\
examples:
  whenabouts reel "the ball goes in" "somebody falls" --in match.mp4 --out best.mp4
  whenabouts reel "a dog runs into the sea" --in holidays/ --limit 10 --out dogs.mp4
  whenabouts reel "a dog" --out dogs.mp4       # from every indexed video

the clips come in the order of the questions, then of the videos, then of time
"""

MCP_EXAMPLES = """\
examples:
  whenabouts mcp holidays/                     # a client starts it, and speaks on its stdin
  whenabouts mcp clips/ talks/ --http 8766     # streamable HTTP, at http://127.0.0.1:8766/mcp
  claude mcp add whenabouts -- whenabouts mcp /home/me/videos

docs/mcp.md shows what to write into Claude Desktop, VS Code and a LangGraph agent
"""

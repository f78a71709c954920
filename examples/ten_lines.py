"""The shortest program: python examples/ten_lines.py lobby.mp4 "something enters"."""

import sys

from agent.api import Grounder

with Grounder() as grounder:
    answer = grounder.find(sys.argv[1], sys.argv[2], every_time=True)
for interval in answer.intervals:
    print(interval.start_s, interval.end_s, interval.confidence, sep="\t")

"""From captions to a validated answer: what a reasoner is shown, says, and is told."""

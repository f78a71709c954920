"""What the classical describer measures on frames or reads off them, said and asked in words."""

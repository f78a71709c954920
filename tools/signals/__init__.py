"""The embedded senses: what can be measured on frames or read off them, said and asked in words."""

"""Instruction tuning of a small image model on a teacher's descriptions."""

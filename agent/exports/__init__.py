"""Answers in the forms that editors, players and spreadsheets read."""

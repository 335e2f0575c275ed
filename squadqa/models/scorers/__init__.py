"""Scorers that rank candidate answers: one paper, one file."""

"""Readers that point at the start and the end of an answer: one paper, one file."""

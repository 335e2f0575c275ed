"""Candidate answers and what feature groups count of them, one file a step."""

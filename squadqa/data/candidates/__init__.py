"""Candidate answers and the feature groups' hashes and counts, one file per step."""

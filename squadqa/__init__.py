"""squadqa: train and evaluate feature-based baselines and neural readers on SQuAD v1.1."""

__version__ = "0.1.0"

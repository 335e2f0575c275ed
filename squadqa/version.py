"""The version of squadqa."""

__version__ = "0.1.0"

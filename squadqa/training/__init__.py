"""Training and evaluation of both families with Lightning."""

"""How fast models train, evaluate and answer, beside a yardstick measured in the same minute."""

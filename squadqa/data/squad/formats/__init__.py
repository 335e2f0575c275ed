"""The formats that questions come in: one module each, which yields `Row`s; `detect` chooses."""

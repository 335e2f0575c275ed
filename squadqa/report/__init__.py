"""Pages and plots made of values: no torch, no models, no network."""

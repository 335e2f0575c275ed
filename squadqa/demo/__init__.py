"""The page of `squadqa demo`: models that answer in a browser, and the server that shows them."""

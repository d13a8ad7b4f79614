"""Who buys again, when, what, worth how much, and where the opportunity lies."""

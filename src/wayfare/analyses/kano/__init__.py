"""Must-haves, satisfiers, delighters: what customers say, what their ratings and orders say, and what to do first."""

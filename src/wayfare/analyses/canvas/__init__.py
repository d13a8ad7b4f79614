"""The Business Model Canvas held against the log: what its hypotheses rest on, and where nothing is known."""

"""The log: every event of every customer, sorted by customer and time, in blocks of whole histories."""

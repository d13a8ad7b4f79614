"""Arrays and sums in, frozen results out: the statistics of Wayfare. Knows no log and no document."""

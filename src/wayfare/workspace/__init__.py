"""A workspace: the folder that holds a company's settings, its log, and later its documents."""

"""Where histories live and are scanned; the scan itself is the same everywhere."""

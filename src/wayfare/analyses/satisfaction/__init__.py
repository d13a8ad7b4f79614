"""What customers say: satisfaction, what drives it, and who they are."""

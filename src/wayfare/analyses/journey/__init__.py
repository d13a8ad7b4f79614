"""Where customers come from, which way they go, where they leave and who comes back."""

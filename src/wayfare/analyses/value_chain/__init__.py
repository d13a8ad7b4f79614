"""What the company does: what each activity costs, what it brings, and where the next unit of money goes."""

"""The nouns of the customer journey; nothing here computes."""

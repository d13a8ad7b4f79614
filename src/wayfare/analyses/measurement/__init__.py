"""How the journey does, in the figures that everybody asks for, against a benchmark."""

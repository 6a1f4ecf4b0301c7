"""What a citizen's browser or client talks to."""

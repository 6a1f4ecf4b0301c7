"""Turns arrays into findings and findings into a report; knows no model by name."""

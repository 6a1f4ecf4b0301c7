"""Keeps what people agreed to and what was done with their data, and can prove both."""

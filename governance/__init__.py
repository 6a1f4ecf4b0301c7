"""The only room with doors to the other three: it decides whether a model may run, and it runs it."""

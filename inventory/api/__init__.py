"""What is read from outside over HTTP."""

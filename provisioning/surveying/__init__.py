"""What hypervisors carry: a complete reading, or a failure that says what is missing."""

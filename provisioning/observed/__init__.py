"""What was seen, as rows: surveys, what runs gathered; and what it means for what is declared."""

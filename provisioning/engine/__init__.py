"""Jobs as rows: how they move, who carries them out, what becomes of them when a worker or a message is lost."""

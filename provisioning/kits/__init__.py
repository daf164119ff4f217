"""Recovery kits: written whole, with the application and its newest backup inside."""

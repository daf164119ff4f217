"""What comes due without being asked for: schedules, housekeeping, ages in powered-on time."""

"""A rehearsal on a real node: a throwaway machine is made, kept, put back and destroyed, and all of it written down."""

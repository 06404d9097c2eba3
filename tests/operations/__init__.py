"""What docs/operations.md promises: accounts of the database, back-ups, and that a restore is what it was."""

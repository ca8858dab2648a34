"""Results and events in print: as a table, as lines, as JSON, in words."""

"""One module for each command: its options and its page, what it has done, and how it ends."""

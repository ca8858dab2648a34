"""A run while it goes on: what is known of it, its estimate, and the three ways of showing it."""

"""The services behind one protocol: what every publisher offers, how one is found by name, and the adapters."""

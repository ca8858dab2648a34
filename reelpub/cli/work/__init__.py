"""What several commands do: a file or a post carried out, a run chosen, its rows moved, an end that is told."""

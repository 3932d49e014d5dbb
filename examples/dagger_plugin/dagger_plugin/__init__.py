"""Parts of one's own for dagger-cli."""

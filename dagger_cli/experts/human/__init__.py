"""A person as the expert: what is asked, on which screen, and the record of the answers."""

"""Sweeps: the files of their jobs, which job still has to run, and what is shown meanwhile."""

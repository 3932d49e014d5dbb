"""`expert=mario_planner`: best-first search over copies of the Mario simulator."""

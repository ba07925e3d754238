"""What runs: pollers, stream agents, their wiring and the command line."""

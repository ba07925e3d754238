"""What readers are told, where, and why: pure functions."""

"""What a policy page says and how two versions differ: pure functions."""

"""What the news says and whom it concerns: pure functions."""

"""What Clausewire's events mean, and the adapters they need."""

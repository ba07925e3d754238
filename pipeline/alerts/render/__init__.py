"""From an alert to a message, one file per channel."""

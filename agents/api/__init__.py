"""The HTTP API: subscriptions, deliveries and alerts for programs, and what readers click in mails and Slack."""

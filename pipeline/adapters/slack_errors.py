"""What Slack's error words mean, and what to do about each. The words are those of its API reference."""

from __future__ import annotations

MAYBE_DONE = frozenset({"fatal_error", "internal_error"})  # Slack: "may have succeeded"
PASSING = MAYBE_DONE | frozenset(
    {
        "accesslimited",
        "ratelimited",
        "rate_limited",
        "message_limit_exceeded",
        "request_timeout",
        "rollup_error",
        "service_unavailable",
        "team_added_to_org",
    }
)
LOST_PARENT = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "block_mismatch", "is_inactive"}
)
LOST_THREAD = frozenset(
    {
        "thread_not_found",
        "cannot_reply_to_message",
        "restricted_action_thread_locked",
        "restricted_action_non_threadable_channel",
    }
)

_RENEW = "Create a new bot token in the app's settings, and put it where the configuration says"
_SIZE = "This is ours to repair: please report it with the alert's id"
REMEDIES: dict[str, str] = {
    "channel_not_found": "Check the channel's id, and invite the app to it: /invite @the-app",
    "not_in_channel": "Invite the app to the channel: /invite @the-app",
    "is_archived": "Unarchive the channel, or choose another",
    "channel_is_archived": "Unarchive the channel, or choose another",
    "invalid_auth": _RENEW,
    "not_authed": _RENEW,
    "account_inactive": _RENEW,
    "token_revoked": _RENEW,
    "token_expired": _RENEW,
    "no_permission": "Give the app the scope chat:write, and install it again",
    "missing_scope": "Give the app the scopes chat:write and channels:history, and install it again",
    "not_allowed_token_type": "Use a bot token (xoxb-…)",
    "ekm_access_denied": "Ask the workspace's administrators: they suspended posting",
    "restricted_action": "Ask the workspace's administrators: they restrict who may post here",
    "restricted_action_read_only_channel": "Choose a channel that the app may post to",
    "restricted_action_thread_only_channel": "Choose a channel that takes new messages",
    "action_prohibited": "Ask the workspace's administrators: they restrict who may post here",
    "no_service": "The incoming webhook is gone: create a new one in the app's settings",
    "no_service_id": "The incoming webhook is gone: create a new one in the app's settings",
    "no_active_hooks": "The incoming webhook is switched off: switch it on in the app's settings",
    "invalid_token": "The incoming webhook's URL is not right: copy it again from the app's settings",
    "no_team": "The workspace is gone: choose another",
    "team_disabled": "The workspace is gone: choose another",
    "user_not_found": "Choose a channel or a person that exists",
    "invalid_blocks": _SIZE,
    "invalid_blocks_format": _SIZE,
    "invalid_payload": _SIZE,
    "msg_blocks_too_long": _SIZE,
    "msg_too_long": _SIZE,
    "metadata_too_large": _SIZE,
    "no_text": _SIZE,
}


def is_passing(word: str) -> bool:
    """Say whether an error is one that the same call may be spared later."""
    return word in PASSING


def remedy(word: str) -> str:
    """Return what to do about an error, empty where only waiting helps."""
    if word in PASSING:
        return ""
    return REMEDIES.get(word, "Look the word up in Slack's API reference")


def told(method: str, word: str) -> str:
    """Return an error in a sentence."""
    return f"Slack refused {method}: {word}"

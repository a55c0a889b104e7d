"""The Webex Connect (imiconnect) Messaging API v2: its request bodies, its credentials, its answers."""

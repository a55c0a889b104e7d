"""notifyctl: notification-as-code for the Webex Connect (imiconnect) Messaging API v2.

The version is a constant here because reading package metadata costs more than the rest of the start-up.
"""

__version__ = "0.1.0"

"""notifyctl: notification-as-code for the Webex Connect (imiconnect) Messaging API v2.

The version is a constant: reading package metadata would slow every start.
"""

__version__ = "0.1.0"

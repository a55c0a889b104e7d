"""The Webex Connect (imiconnect) Messaging API v2: what a request looks like, who may send it, what an answer means."""

"""Accounts that messages are sent through: the Webex Connect API, and the simulator of it that runs on this machine."""

"""A simulator of the Messaging API v2 as a real HTTP server on loopback. It reaches nobody and keeps what it accepts."""

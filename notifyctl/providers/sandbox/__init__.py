"""A simulator of the Messaging API v2: an HTTP server on loopback that keeps what it accepts and reaches nobody."""

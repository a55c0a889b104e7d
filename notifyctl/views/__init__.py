"""Data → text, one module for each kind of document. Nothing here prints, opens or decides."""

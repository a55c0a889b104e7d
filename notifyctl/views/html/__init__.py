"""Messages as recipients see them: one self-contained HTML page that loads nothing from a network."""

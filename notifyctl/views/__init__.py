"""Views turn data into text, one module per kind of document. They never print, open files or decide."""

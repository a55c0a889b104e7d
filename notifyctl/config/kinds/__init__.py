"""Shapes of the kinds of documents, one module each: their keys and what each key means. Data without behaviour."""

"""The kinds of documents, one module each: which keys they take and what each key means. Data, no behaviour."""

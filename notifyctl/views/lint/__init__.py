"""Output formats of `lint`: text, and the formats of GitHub, GitLab, SARIF and JUnit. JSON is in `views.diagnostics`.

Each module has `render(diagnostics, context) -> str`; diagnostics come sorted by location.
"""

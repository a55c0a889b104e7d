"""The forms of `lint`: text for people, and what GitHub, GitLab, SARIF and JUnit readers take. JSON is in `views.diagnostics`.

Each module has `render(diagnostics, surroundings) -> str`; diagnostics come sorted by place.
"""

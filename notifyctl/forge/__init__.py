"""GitHub and GitLab: one comment on a pull request, found again by its marker and kept up to date."""

"""Plans of projects that are not trusted: read in a confined process, with the trust settings of the base."""

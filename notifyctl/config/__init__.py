"""YAML in, model out: the only room that reads YAML. Nodes with positions → fields → model; schemas from the same declaration."""

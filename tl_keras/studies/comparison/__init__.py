"""Measures on a user's own data whether transfer pays, over label budgets and draws."""

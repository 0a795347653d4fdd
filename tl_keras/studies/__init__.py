"""Answers questions about a user's own data by measurement, such as which backbone suits them."""

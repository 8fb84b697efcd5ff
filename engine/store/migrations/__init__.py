"""Alembic's environment and the migrations, as package data."""

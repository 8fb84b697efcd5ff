"""The pages. A view parses the request, calls one command or one query, and redirects (303) or renders."""

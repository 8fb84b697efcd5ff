"""Tests: unit, scenarios, pages, browser, faults."""

"""Tests of the wire simulator itself, mostly through the providers' own packages."""

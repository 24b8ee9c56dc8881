"""All provider work: from a request to a checked, published, recorded result. `generate.Generator` is the door."""

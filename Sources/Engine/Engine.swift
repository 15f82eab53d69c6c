// The sans-I/O core of a relay.

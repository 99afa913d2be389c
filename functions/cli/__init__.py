"""The command line for people: asks for trainings, looks at models, and finds what is missing before it matters."""

"""What is shipped to watch and to run a fleet, tried with the programs that read it."""

"""The commands, a file each; main.COMMANDS and route.COMMANDS name them."""

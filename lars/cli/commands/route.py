"""`lars route`: the group of commands that show and edit which hosts serve a module."""

from lars.cli.lazy import LazyCommand, LazyGroup

COMMANDS = {
    "add": LazyCommand("lars.cli.commands.route_edit:add", "Add hosts to a module."),
    "rm": LazyCommand("lars.cli.commands.route_edit:rm", "Remove hosts from a module."),
    "set": LazyCommand("lars.cli.commands.route_set:set_", "Change weight, zone, tags or note of a host."),
    "drain": LazyCommand("lars.cli.commands.route_drain:drain", "Take hosts out of use without removing them."),
    "undrain": LazyCommand("lars.cli.commands.route_drain:undrain", "Let drained hosts take calls again."),
    "list": LazyCommand("lars.cli.commands.route_list:list_", "List the hosts of all modules, or of some."),
    "import": LazyCommand("lars.cli.commands.route_import:import_", "Add the routes of a CSV or JSON file."),
    "export": LazyCommand("lars.cli.commands.route_list:export", "Print all routes as CSV or JSON."),
}

route = LazyGroup(
    "route",
    commands=COMMANDS,
    help="Show and edit which hosts serve a module.\n\nAn edit reaches the agents within about a second.",
)

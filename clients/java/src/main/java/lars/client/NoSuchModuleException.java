package lars.client;

/** The agent knows no host of the module. */
public final class NoSuchModuleException extends LarsException {
    private static final long serialVersionUID = 1;

    NoSuchModuleException(ModuleId module) {
        super(
                "module %s has no hosts that the agent knows of: add one with `lars route add %d %d IP:PORT`, or see in the agent's log whether it reaches lars-dns"
                        .formatted(module, module.modid(), module.cmdid()),
                null);
    }
}

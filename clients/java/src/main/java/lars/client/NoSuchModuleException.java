package lars.client;

/** The agent knows no host of the module. */
public final class NoSuchModuleException extends LarsException {
    private static final long serialVersionUID = 1;

    private static final String ADVICE =
            "module %s has no hosts that the agent knows of: add one with `lars route add %d %d IP:PORT`, "
                    + "or check the agent's log for its connection to lars-dns";

    NoSuchModuleException(ModuleId module) {
        super(ADVICE.formatted(module, module.modid(), module.cmdid()), null);
    }
}

package lars.client;

/** Every host of the module is ejected, and this call does not probe one. */
public final class OverloadedException extends LarsException {
    private static final long serialVersionUID = 1;

    private static final String ADVICE = "every host of module %s is ejected for its failures: try again later; "
            + "`lars status %d %d` shows their errors";

    OverloadedException(ModuleId module) {
        super(ADVICE.formatted(module, module.modid(), module.cmdid()), null);
    }
}

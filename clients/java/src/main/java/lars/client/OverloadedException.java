package lars.client;

/**
 * The call should not be made: most calls of the module fail by being slow, and load is shed.
 *
 * <p>With the policy classic: every host is ejected, and this call does not probe one.
 */
public final class OverloadedException extends LarsException {
    private static final long serialVersionUID = 1;

    private static final String ADVICE = "module %s takes no call now: load is shed because most calls fail by "
            + "being slow or, with the policy classic, every host is ejected; try again later, "
            + "`lars explain %d %d` shows why";

    OverloadedException(ModuleId module) {
        super(ADVICE.formatted(module, module.modid(), module.cmdid()), null);
    }
}

package lars.client;

/** Every host of the module is set aside as failing, and this call was not chosen to probe one. */
public final class OverloadedException extends LarsException {
    private static final long serialVersionUID = 1;

    OverloadedException(ModuleId module) {
        super(
                "every host of module %s is set aside as failing: try again later; `lars status %d %d` shows their errors"
                        .formatted(module, module.modid(), module.cmdid()),
                null);
    }
}

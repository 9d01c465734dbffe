package lars.client;

/**
 * The root of the errors of calls to the agent; the message says what is wrong and what to do, in one line.
 *
 * <p>Invalid ids, addresses and times throw an {@link IllegalArgumentException} instead.
 */
public abstract sealed class LarsException extends RuntimeException
        permits NoSuchModuleException, OverloadedException, AgentUnavailableException {
    private static final long serialVersionUID = 1;

    LarsException(String message, Throwable cause) {
        super(message, cause);
    }
}

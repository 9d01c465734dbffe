package lars.client;

/**
 * The root of what a call to the agent can end with instead of an answer; its message says what to do, in one line.
 *
 * <p>Ids, addresses and times that cannot be used are an {@link IllegalArgumentException} instead.
 */
public abstract sealed class LarsException extends RuntimeException
        permits NoSuchModuleException, OverloadedException, AgentUnavailableException {
    private static final long serialVersionUID = 1;

    LarsException(String message, Throwable cause) {
        super(message, cause);
    }
}

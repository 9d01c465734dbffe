package lars.client;

import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.time.Duration;

/** The agent cannot be reached, or did not answer in time. */
public final class AgentUnavailableException extends LarsException {
    private static final long serialVersionUID = 1;

    private static final String ADVICE =
            ": start lars-agent there, or set its address (LARS_AGENT, or the agent of LarsClient)";

    private AgentUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    static AgentUnavailableException silent(InetSocketAddress shard, Duration timeout) {
        String what = "no answer from the agent at %s within %s s".formatted(written(shard), plain(timeout));
        return new AgentUnavailableException(what + ADVICE, null);
    }

    static AgentUnavailableException unreachable(InetSocketAddress shard, IOException error) {
        String why = error instanceof PortUnreachableException ? "Connection refused" : error.getMessage();
        String what = "the agent at %s cannot be reached (%s)".formatted(written(shard), why);
        return new AgentUnavailableException(what + ADVICE, error);
    }

    static AgentUnavailableException cannotChoose(ModuleId module) {
        return new AgentUnavailableException(
                "the agent could not choose a host of module %s: see its log".formatted(module), null);
    }

    /** Seconds as a person writes them: 0.2, 1. */
    private static String plain(Duration time) {
        return BigDecimal.valueOf(time.toNanos(), 9).stripTrailingZeros().toPlainString();
    }

    static String written(InetSocketAddress shard) {
        return shard.getAddress().getHostAddress() + ":" + shard.getPort();
    }
}

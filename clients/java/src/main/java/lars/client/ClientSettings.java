package lars.client;

import java.time.Duration;

/**
 * How a {@link LarsClient} works; {@link #defaults} and what differs from them:
 *
 * <pre>{@code
 * new LarsClient(ClientSettings.defaults().withTimeout(Duration.ofMillis(50)).withCacheTtl(Duration.ZERO))
 * }</pre>
 *
 * @param agent "IP:BASEPORT" or "NAME:BASEPORT": the first of the three ports, in a row, that the agent's shards listen
 *     on. A name is looked up when the client is made, and again when the agent does not answer
 * @param timeout the time until a question to the agent fails; after half of it an unanswered one is sent once more
 * @param cacheTtl the time for which hosts are chosen by the same route state; zero to ask the agent for each host, and
 *     to report to it each time
 * @param stateDir the folder of the agent's saved routes; empty to use none; null for that of an agent on this machine
 * @param firstWait the time for which the first questions about a module wait for its hosts, which the agent pulls when
 *     it is first asked; zero to be refused at once
 */
public record ClientSettings(
        String agent, Duration timeout, Duration cacheTtl, String stateDir, Duration firstWait) {
    private static final String DEFAULT_STATE_DIR = "/var/lib/lars";

    /**
     * Checks the times.
     *
     * @param agent as above
     * @param timeout as above
     * @param cacheTtl as above
     * @param stateDir as above
     * @param firstWait as above
     * @throws IllegalArgumentException if a time is out of range
     */
    public ClientSettings {
        check("timeout", timeout, !timeout.isZero());
        check("cacheTtl", cacheTtl, true);
        check("firstWait", firstWait, true);
    }

    private static void check(String name, Duration time, boolean isEnough) {
        if (!isEnough || time.isNegative() || time.compareTo(Duration.ofDays(1)) >= 0) {
            throw new IllegalArgumentException("%s %s cannot be used: give a time %s and below a day"
                    .formatted(name, time, name.equals("timeout") ? "above 0" : "from 0"));
        }
    }

    /**
     * The environment's LARS_AGENT, else 127.0.0.1:8888; LARS_STATE_DIR, else /var/lib/lars for an agent on this
     * machine; a timeout of 0.2 s, a cacheTtl and a firstWait of 1 s.
     *
     * @return the settings
     * @throws IllegalArgumentException if LARS_AGENT cannot be used
     */
    public static ClientSettings defaults() {
        return new ClientSettings(
                LarsClient.defaultAgent(),
                LarsClient.DEFAULT_TIMEOUT,
                LarsClient.DEFAULT_CACHE_TTL,
                System.getenv(LarsClient.STATE_DIR_VARIABLE),
                LarsClient.DEFAULT_FIRST_WAIT);
    }

    /**
     * Another agent.
     *
     * @param agent as above
     * @return these settings with it
     */
    public ClientSettings withAgent(String agent) {
        return new ClientSettings(agent, timeout, cacheTtl, stateDir, firstWait);
    }

    /**
     * Another timeout.
     *
     * @param timeout as above
     * @return these settings with it
     */
    public ClientSettings withTimeout(Duration timeout) {
        return new ClientSettings(agent, timeout, cacheTtl, stateDir, firstWait);
    }

    /**
     * Another time in the cache.
     *
     * @param cacheTtl as above
     * @return these settings with it
     */
    public ClientSettings withCacheTtl(Duration cacheTtl) {
        return new ClientSettings(agent, timeout, cacheTtl, stateDir, firstWait);
    }

    /**
     * Another folder of saved routes.
     *
     * @param stateDir as above
     * @return these settings with it
     */
    public ClientSettings withStateDir(String stateDir) {
        return new ClientSettings(agent, timeout, cacheTtl, stateDir, firstWait);
    }

    /**
     * Another wait for the first hosts.
     *
     * @param firstWait as above
     * @return these settings with it
     */
    public ClientSettings withFirstWait(Duration firstWait) {
        return new ClientSettings(agent, timeout, cacheTtl, stateDir, firstWait);
    }

    /** The folder to begin with; empty for no saved routes. An agent on another machine has no default. */
    String folder(AgentAddress address) {
        if (stateDir != null) {
            return stateDir;
        }
        return address.ip().isLoopbackAddress() ? DEFAULT_STATE_DIR : "";
    }

    /** Whether the folder is the one that the agent names, once it has answered. */
    boolean followsAgent() {
        return stateDir == null;
    }
}

package lars.client;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.regex.Pattern;

/** Where the agent is: one address, and a port for each of its shards, the base port and the ones after it. */
record AgentAddress(InetAddress ip, int port) {
    static final String DEFAULT = "127.0.0.1:8888";
    static final int SHARDS = 3;

    private static final int MAX_PORT = 65_535;
    private static final Pattern DIGITS = Pattern.compile("[0-9]{1,5}");

    /** "127.0.0.1:8888"; throws IllegalArgumentException, saying what is wrong. */
    static AgentAddress parse(String text) {
        try {
            int colon = text.lastIndexOf(':');
            if (colon < 0) {
                throw new IllegalArgumentException(
                        "'%s' is not an address: write IP:BASEPORT, as in %s".formatted(text, DEFAULT));
            }
            AgentAddress agent =
                    new AgentAddress(Ip.parse(text.substring(0, colon)), parsePort(text.substring(colon + 1)));
            if (agent.port > MAX_PORT - (SHARDS - 1)) {
                throw new IllegalArgumentException(
                        "port %d is too high: its %d shards take the ports from it on".formatted(agent.port, SHARDS));
            }
            return agent;
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException("agent address: " + error.getMessage());
        }
    }

    /** The agent of LARS_AGENT's value, which may be null or empty, or the default; an error names the variable. */
    static String ofEnvironment(String value) {
        String agent = value == null || value.isEmpty() ? DEFAULT : value;
        try {
            parse(agent);
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException("environment LARS_AGENT: " + error.getMessage());
        }
        return agent;
    }

    /** Which shard answers for a module: (modid + cmdid) mod 3. */
    static int shardOf(ModuleId module) {
        return (int) (((long) module.modid() + module.cmdid()) % SHARDS);
    }

    /** Where a shard listens. */
    InetSocketAddress shard(int number) {
        return new InetSocketAddress(ip, port + number);
    }

    private static int parsePort(String text) {
        int port = DIGITS.matcher(text).matches() ? Integer.parseInt(text) : 0;
        if (port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException(
                    "'%s' is not a port: use a number from 1 to %d".formatted(text, MAX_PORT));
        }
        return port;
    }
}

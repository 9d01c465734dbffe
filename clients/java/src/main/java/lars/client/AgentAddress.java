package lars.client;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.regex.Pattern;

/** The agent's address now: one IP, and a port for each of its shards, the base port and the next ones. */
record AgentAddress(InetAddress ip, int port) {
    static final String DEFAULT = "127.0.0.1:8888";
    static final int SHARDS = 3;

    private static final int MAX_PORT = 65_535;
    private static final Pattern NAME = Pattern.compile("(?=.*\\p{L})\\S+");
    private static final Pattern DIGITS = Pattern.compile("[0-9]{1,5}");

    /** "127.0.0.1:8888" or "agent:8888", which is looked up; throws IllegalArgumentException for anything else. */
    static AgentAddress parse(String text) {
        try {
            int colon = text.lastIndexOf(':');
            if (colon < 0) {
                throw new IllegalArgumentException(
                        "'%s' is not an address: write IP:BASEPORT, as in %s".formatted(text, DEFAULT));
            }
            int port = parsePort(text.substring(colon + 1));
            String host = text.substring(0, colon);
            AgentAddress agent = new AgentAddress(isNamed(text) ? lookUp(host) : Ip.parse(host), port);
            if (agent.port > MAX_PORT - (SHARDS - 1)) {
                throw new IllegalArgumentException(
                        "port %d is too high: its %d shards take the ports from it on".formatted(agent.port, SHARDS));
            }
            return agent;
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException("agent address: " + error.getMessage());
        }
    }

    /** The agent in LARS_AGENT's value, or the default if that is null or empty; errors name the variable. */
    static String ofEnvironment(String value) {
        String agent = value == null || value.isEmpty() ? DEFAULT : value;
        try {
            parse(agent);
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException("environment LARS_AGENT: " + error.getMessage());
        }
        return agent;
    }

    /** Whether an address with a port is a name's. */
    static boolean isNamed(String text) {
        return NAME.matcher(text.substring(0, text.lastIndexOf(':'))).matches();
    }

    /** The number of the shard that serves a module: (modid + cmdid) mod 3. */
    static int shardOf(ModuleId module) {
        return (int) (((long) module.modid() + module.cmdid()) % SHARDS);
    }

    /** The address of a shard. */
    InetSocketAddress shard(int number) {
        return new InetSocketAddress(ip, port + number);
    }

    /** The first IPv4 address of a name; waits for the resolver, or has the answer from Java's cache. */
    private static InetAddress lookUp(String name) {
        InetAddress[] found = {};
        try {
            found = InetAddress.getAllByName(name);
        } catch (UnknownHostException error) {
            // said below
        }
        return Arrays.stream(found)
                .filter(Inet4Address.class::isInstance)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'%s' has no IPv4 address".formatted(name)));
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

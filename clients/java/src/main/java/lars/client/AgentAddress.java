package lars.client;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * The agent's address: one IP, and a port for each of its shards, the base port and the next ones.
 *
 * @param name as it was given, if by a name, such as "agent"; else null
 */
record AgentAddress(InetAddress ip, int port, String name) {
    static final String DEFAULT = "127.0.0.1:8888";
    static final int SHARDS = 3;

    private static final int MAX_PORT = 65_535;
    private static final Pattern DIGITS = Pattern.compile("[0-9]{1,5}");
    private static final Pattern NAME = Pattern.compile("\\S*\\p{Alpha}\\S*");

    /** "127.0.0.1:8888" or "agent:8888"; throws IllegalArgumentException. Waits for the name server. */
    static AgentAddress parse(String text) {
        try {
            int colon = text.lastIndexOf(':');
            if (colon < 0) {
                throw new IllegalArgumentException(
                        "'%s' is not an address: write IP:BASEPORT, as in %s".formatted(text, DEFAULT));
            }
            String place = text.substring(0, colon);
            int port = parsePort(text.substring(colon + 1));
            if (port > MAX_PORT - (SHARDS - 1)) {
                throw new IllegalArgumentException(
                        "port %d is too high: its %d shards use it and the ports after it".formatted(port, SHARDS));
            }
            boolean isName = NAME.matcher(place).matches() && place.indexOf(':') < 0;
            return isName
                    ? new AgentAddress(resolve(place), port, place)
                    : new AgentAddress(Ip.parse(place), port, null);
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException("agent address: " + error.getMessage());
        }
    }

    /** The first IPv4 address of a name; throws IllegalArgumentException. */
    static InetAddress resolve(String name) {
        try {
            return Arrays.stream(InetAddress.getAllByName(name))
                    .filter(Inet4Address.class::isInstance)
                    .findFirst()
                    .orElseThrow(() -> new UnknownHostException("it has others"));
        } catch (UnknownHostException error) {
            throw new IllegalArgumentException("'%s' has no IPv4 address: %s".formatted(name, error.getMessage()));
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

    /** The number of the shard that serves a module: (modid + cmdid) mod 3. */
    static int shardOf(ModuleId module) {
        return (int) (((long) module.modid() + module.cmdid()) % SHARDS);
    }

    /** The address of a shard. */
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

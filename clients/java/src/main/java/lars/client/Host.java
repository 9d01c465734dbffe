package lars.client;

import java.net.Inet4Address;
import java.net.InetSocketAddress;

/**
 * A host to call, and the module that it was chosen for.
 *
 * @param modid the module's business, 0 to 2^31 - 1
 * @param cmdid the module's function, 0 to 2^31 - 1; (0, 0) does not exist
 * @param address its IPv4 address and port, to connect to
 */
public record Host(int modid, int cmdid, InetSocketAddress address) {
    /**
     * Checks the parts.
     *
     * @param modid as above
     * @param cmdid as above
     * @param address as above
     * @throws IllegalArgumentException if no such host can exist
     */
    public Host {
        new ModuleId(modid, cmdid);
        if (!(address.getAddress() instanceof Inet4Address ip) || ip.isAnyLocalAddress() || address.getPort() == 0) {
            throw new IllegalArgumentException(
                    "%s is not a host: use an IPv4 address other than 0.0.0.0 and a port from 1 to 65535"
                            .formatted(address));
        }
    }

    /**
     * A host by its dotted IPv4 address; names are never resolved.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @param ip such as "10.0.0.5"
     * @param port 1 to 65535
     * @return the host
     * @throws IllegalArgumentException if no such host can exist
     */
    public static Host of(int modid, int cmdid, String ip, int port) {
        return new Host(modid, cmdid, new InetSocketAddress(Ip.parse(ip), port));
    }

    /**
     * The dotted IPv4 address.
     *
     * @return such as "10.0.0.5"
     */
    public String ip() {
        return address.getAddress().getHostAddress();
    }

    /**
     * The port.
     *
     * @return 1 to 65535
     */
    public int port() {
        return address.getPort();
    }

    /** "10.0.0.5:8080", as in a URL. */
    @Override
    public String toString() {
        return ip() + ":" + port();
    }

    ModuleId module() {
        return new ModuleId(modid, cmdid);
    }
}

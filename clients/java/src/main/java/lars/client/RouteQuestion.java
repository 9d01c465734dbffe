package lars.client;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import lars.Lars.GetRouteRequest;
import lars.Lars.GetRouteResponse;
import lars.Lars.HostInfo;

/**
 * A query for all hosts of a module; none if the agent knows none. The message has no seq, so each query has a socket
 * of its own.
 */
record RouteQuestion(ModuleId module) implements Question<List<Host>> {
    /** Size of the receive buffer in bytes: more than any datagram has. */
    static final int ROOM = 65_536;

    private static final int MAX_PORT = 65_535;

    @Override
    public List<byte[]> requests() {
        return List.of(Frame.encode(
                Frame.GET_ROUTE,
                GetRouteRequest.newBuilder()
                        .setModid(module.modid())
                        .setCmdid(module.cmdid())
                        .build()));
    }

    @Override
    public int room() {
        return ROOM;
    }

    @Override
    public List<Host> answer(ByteBuffer datagram) {
        GetRouteResponse response = Frame.decode(Frame.ROUTE_ANSWER, datagram, GetRouteResponse.parser());
        if (response == null || !module.is(response.getModid(), response.getCmdid())) {
            return null;
        }
        return response.getHostList().stream()
                .map(info -> host(module, info))
                .filter(Objects::nonNull)
                .toList();
    }

    /** The host, or null for one that cannot exist. */
    static Host host(ModuleId module, HostInfo info) {
        if (info.getIp() == 0 || info.getPort() < 1 || info.getPort() > MAX_PORT) {
            return null;
        }
        return new Host(
                module.modid(), module.cmdid(), new InetSocketAddress(Ip.of(info.getIp()), info.getPort()));
    }
}

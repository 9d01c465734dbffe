package lars.client;

import java.nio.ByteBuffer;
import java.util.List;
import lars.Lars.GetHostRequest;
import lars.Lars.GetHostResponse;
import lars.Lars.RouteStateRequest;
import lars.Lars.RouteStateResponse;

/**
 * A query for the host to call next. {@code seq} distinguishes it from earlier ones on the same socket.
 *
 * <p>It may ask for the route state as well, in a first datagram: the agent answers in order, so that the state arrives
 * before the host.
 */
final class HostQuestion implements Question<Host> {
    /** Size of the receive buffer in bytes: far larger than an answer without a state. */
    static final int ROOM = 2048;

    private static final int SUCC = 0;
    private static final int OVERLOAD = 1;
    private static final int NOEXIST = 3;

    /** Called with what the agent has answered, each null if it has not; the host to call. */
    @FunctionalInterface
    interface Answered {
        Host host(RouteStateResponse state, Host chosen);
    }

    private final ModuleId module;
    private final int seq;
    private final byte[] getHost;
    private byte[] getState;
    private Answered answered = (state, host) -> host;
    private RouteStateResponse state;

    /** For a call about {@code key}, 0 for none. */
    HostQuestion(ModuleId module, int seq, long key) {
        this.module = module;
        this.seq = seq;
        getHost = Frame.encode(
                Frame.GET_HOST,
                GetHostRequest.newBuilder()
                        .setSeq(seq)
                        .setModid(module.modid())
                        .setCmdid(module.cmdid())
                        .setKey(key)
                        .build());
    }

    /** Asks for the route state, too; {@code version} is that of the state that the client has, 0 for none. */
    HostQuestion withState(long version) {
        getState = Frame.encode(
                Frame.GET_STATE,
                RouteStateRequest.newBuilder()
                        .setSeq(seq)
                        .setModid(module.modid())
                        .setCmdid(module.cmdid())
                        .setVersion(version)
                        .build());
        return this;
    }

    HostQuestion answered(Answered then) {
        answered = then;
        return this;
    }

    @Override
    public List<byte[]> requests() {
        return getState == null ? List.of(getHost) : List.of(getState, getHost);
    }

    @Override
    public int room() {
        return getState == null ? ROOM : RouteQuestion.ROOM;
    }

    @Override
    public Host answer(ByteBuffer datagram) {
        RouteStateResponse found = Frame.decode(Frame.STATE_ANSWER, datagram, RouteStateResponse.parser());
        if (found != null && found.getSeq() == seq && module.is(found.getModid(), found.getCmdid())) {
            state = found;
            return null;
        }
        GetHostResponse response = Frame.decode(Frame.HOST_ANSWER, datagram, GetHostResponse.parser());
        if (response == null || response.getSeq() != seq || !module.is(response.getModid(), response.getCmdid())) {
            return null;
        }
        if (response.getRetcode() == SUCC) {
            Host host = RouteQuestion.host(module, response.getHost());
            return host == null ? null : answered.host(state, host);
        }
        answered.host(state, null);
        throw switch (response.getRetcode()) {
            case NOEXIST -> new NoSuchModuleException(module);
            case OVERLOAD -> new OverloadedException(module);
            default -> AgentUnavailableException.cannotChoose(module);
        };
    }
}

package lars.client;

import java.nio.ByteBuffer;
import lars.Lars.GetHostRequest;
import lars.Lars.GetHostResponse;

/** A query for the host to call next. {@code seq} distinguishes it from earlier ones on the same socket. */
record HostQuestion(ModuleId module, int seq) implements Question<Host> {
    /** Size of the receive buffer in bytes: far larger than an answer. */
    static final int ROOM = 2048;

    private static final int SUCC = 0;
    private static final int OVERLOAD = 1;
    private static final int NOEXIST = 3;

    @Override
    public byte[] request() {
        return Frame.encode(
                Frame.GET_HOST,
                GetHostRequest.newBuilder()
                        .setSeq(seq)
                        .setModid(module.modid())
                        .setCmdid(module.cmdid())
                        .build());
    }

    @Override
    public Host answer(ByteBuffer datagram) {
        GetHostResponse response = Frame.decode(Frame.HOST_ANSWER, datagram, GetHostResponse.parser());
        if (response == null
                || response.getSeq() != seq
                || response.getModid() != module.modid()
                || response.getCmdid() != module.cmdid()) {
            return null;
        }
        return switch (response.getRetcode()) {
            case SUCC -> RouteQuestion.host(module, response.getHost());
            case NOEXIST -> throw new NoSuchModuleException(module);
            case OVERLOAD -> throw new OverloadedException(module);
            default -> throw AgentUnavailableException.cannotChoose(module);
        };
    }
}

package lars.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import lars.Lars.GetHostRequest;
import lars.Lars.GetHostResponse;
import lars.Lars.GetRouteRequest;
import lars.Lars.GetRouteResponse;
import lars.Lars.HostInfo;
import lars.Lars.ReportBatch;
import lars.Lars.ReportRequest;
import lars.Lars.RouteStateRequest;
import lars.Lars.RouteStateResponse;

/** An agent's shard for tests: a thread on a real UDP socket that gives prescribed answers. */
final class Responder implements AutoCloseable {
    static final String IP = "10.0.0.5";
    static final int IP_NUMBER = 0x0a000005;

    private static final long WAIT = 20;

    /** What came: one of the messages from a client. */
    record Request(MessageLite message, SocketAddress sender) {
        RouteStateRequest state() {
            return (RouteStateRequest) message;
        }

        ReportBatch batch() {
            return (ReportBatch) message;
        }

        GetHostRequest getHost() {
            return (GetHostRequest) message;
        }

        ReportRequest report() {
            return (ReportRequest) message;
        }
    }

    /** The datagrams to send back. */
    interface Answer extends Function<Request, List<byte[]>> {}

    private final DatagramSocket socket;
    private final BlockingQueue<Request> requests = new LinkedBlockingQueue<>();
    private final Thread thread = new Thread(this::answerAll);
    private volatile Answer answer;

    Responder(Answer answer) throws IOException {
        this(answer, 0);
    }

    /** With a port of 0, any that is free. */
    Responder(Answer answer, int port) throws IOException {
        this(answer, "127.0.0.1", port);
    }

    Responder(Answer answer, String ip, int port) throws IOException {
        this.answer = answer;
        socket = new DatagramSocket(new InetSocketAddress(InetAddress.getByName(ip), port));
        thread.start();
    }

    int port() {
        return socket.getLocalPort();
    }

    /** The agent's address, for modules of the first shard. */
    String agent() {
        return "127.0.0.1:" + port();
    }

    void setAnswer(Answer next) {
        answer = next;
    }

    /** The next request, after all its answers have been sent. */
    Request next() throws InterruptedException {
        Request request = requests.poll(WAIT, TimeUnit.SECONDS);
        if (request == null) {
            throw new AssertionError("no request came");
        }
        return request;
    }

    boolean noneIsLeft() {
        return requests.isEmpty();
    }

    @Override
    public void close() {
        socket.close();
        try {
            thread.join();
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }

    private void answerAll() {
        byte[] buffer = new byte[65_536];
        while (!socket.isClosed()) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            try {
                socket.receive(packet);
                MessageLite message = parsed(ByteBuffer.wrap(buffer, 0, packet.getLength()));
                Request request = new Request(message, packet.getSocketAddress());
                for (byte[] datagram : answer.apply(request)) {
                    send(socket, request.sender(), datagram);
                }
                requests.add(request);
            } catch (IOException error) {
                if (!socket.isClosed()) {
                    throw new UncheckedIOException(error);
                }
            }
        }
    }

    private static MessageLite parsed(ByteBuffer data) throws InvalidProtocolBufferException {
        data.order(ByteOrder.LITTLE_ENDIAN);
        int id = data.getInt();
        Check.equal(data.remaining() - 4, data.getInt());
        return switch (id) {
            case 4 -> GetHostRequest.parseFrom(data);
            case 6 -> ReportRequest.parseFrom(data);
            case 7 -> GetRouteRequest.parseFrom(data);
            case 10 -> RouteStateRequest.parseFrom(data);
            case 12 -> ReportBatch.parseFrom(data);
            default -> throw new AssertionError("a client sent message " + id);
        };
    }

    static void send(DatagramSocket socket, SocketAddress to, byte[] datagram) throws IOException {
        socket.send(new DatagramPacket(datagram, datagram.length, to));
    }

    static List<byte[]> silent(Request request) {
        return List.of();
    }

    /** Answers get_host with the first port of IP, get_route with all. */
    static Answer serving(int... ports) {
        return request -> {
            if (request.message() instanceof GetHostRequest) {
                return List.of(frame(hostResponse(request, ports[0])));
            }
            if (request.message() instanceof GetRouteRequest route) {
                return List.of(frame(GetRouteResponse.newBuilder()
                        .setModid(route.getModid())
                        .setCmdid(route.getCmdid())
                        .addAllHost(IntStream.of(ports).mapToObj(Responder::info).toList())));
            }
            return List.of();
        };
    }

    /** Answers requests for states with this one, and the others with its hosts. */
    static Answer stating(Supplier<RouteStateResponse.Builder> state) {
        return request -> {
            if (request.message() instanceof RouteStateRequest asked) {
                return List.of(frame(
                        11,
                        state.get()
                                .setSeq(asked.getSeq())
                                .setModid(asked.getModid())
                                .setCmdid(asked.getCmdid())
                                .build()
                                .toByteArray()));
            }
            int[] ports = state.get().getIdleList().stream()
                    .mapToInt(HostInfo::getPort)
                    .toArray();
            return serving(ports).apply(request);
        };
    }

    /** A state of version 1 with this policy, whose hosts have these ports. */
    static RouteStateResponse.Builder state(String policy, int... ports) {
        return RouteStateResponse.newBuilder()
                .setModid(0)
                .setCmdid(3)
                .setVersion(1)
                .setPolicy(policy)
                .addAllIdle(IntStream.of(ports).mapToObj(Responder::info).toList());
    }

    /** Answers get_host with a retcode that is not 0. */
    static Answer refusing(int retcode) {
        return request -> request.message() instanceof GetHostRequest
                ? List.of(frame(hostResponse(request, 1).clearHost().setRetcode(retcode)))
                : List.of();
    }

    static HostInfo info(int port) {
        return HostInfo.newBuilder().setIp(IP_NUMBER).setPort(port).build();
    }

    static GetHostResponse.Builder hostResponse(Request request, int port) {
        return GetHostResponse.newBuilder()
                .setSeq(request.getHost().getSeq())
                .setModid(request.getHost().getModid())
                .setCmdid(request.getHost().getCmdid())
                .setHost(info(port));
    }

    static byte[] frame(GetHostResponse.Builder response) {
        return frame(5, response.build().toByteArray());
    }

    static byte[] frame(GetRouteResponse.Builder response) {
        return frame(8, response.build().toByteArray());
    }

    static byte[] frame(int id, byte[] body) {
        return ByteBuffer.allocate(8 + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(id)
                .putInt(body.length)
                .put(body)
                .array();
    }
}

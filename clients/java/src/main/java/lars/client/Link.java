package lars.client;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A UDP socket to one of the agent's shards: one question and its answer at a time.
 *
 * <p>It is connected, so that it receives only the shard's datagrams, and throws a PortUnreachableException if no
 * process listens there.
 */
final class Link implements AutoCloseable {
    private final InetSocketAddress shard;
    private final DatagramSocket socket;
    private final byte[] buffer;
    private int seq = ThreadLocalRandom.current().nextInt(); // answers to an earlier socket may arrive at a reused port

    Link(InetSocketAddress shard, int room) throws IOException {
        this.shard = shard;
        socket = new DatagramSocket(null); // not a channel's, which a thread's interrupt would close
        try {
            socket.connect(shard);
        } catch (IOException error) {
            socket.close();
            throw error;
        }
        buffer = new byte[room];
    }

    /** Where it is connected to. */
    InetSocketAddress shard() {
        return shard;
    }

    /** A number that no answer to an earlier question has. */
    int nextSeq() {
        return ++seq;
    }

    void send(byte[] datagram) throws IOException {
        socket.send(new DatagramPacket(datagram, datagram.length));
    }

    /** Sends the request and waits for its answer; null if none arrives before {@code until} (System.nanoTime). */
    <T> T ask(byte[] request, Question<T> question, long until) throws IOException {
        send(request);
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
            socket.setSoTimeout((int) ((left + 999_999) / 1_000_000));
            packet.setLength(buffer.length);
            try {
                socket.receive(packet);
            } catch (SocketTimeoutException error) {
                return null;
            }
            boolean whole = packet.getLength() < buffer.length; // else it may have been longer
            T answer = whole ? question.answer(ByteBuffer.wrap(buffer, 0, packet.getLength())) : null;
            if (answer != null) {
                return answer;
            }
        }
        return null;
    }

    @Override
    public void close() {
        socket.close();
    }
}

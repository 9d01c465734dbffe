package lars.client;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A UDP socket to one of the agent's shards: one question and its answer at a time.
 *
 * <p>It is connected, so that it receives only the shard's datagrams, and throws a PortUnreachableException if no
 * process listens there.
 */
final class Link implements AutoCloseable {
    private final DatagramSocket socket;
    private final InetSocketAddress peer;
    private final byte[] buffer = new byte[HostQuestion.ROOM];
    private int seq = ThreadLocalRandom.current().nextInt(); // answers to an earlier socket may arrive at a reused port

    Link(InetSocketAddress peer) throws IOException {
        this.peer = peer;
        socket = new DatagramSocket(null); // not a channel's, which a thread's interrupt would close
        try {
            socket.connect(peer);
        } catch (IOException error) {
            socket.close();
            throw error;
        }
    }

    InetSocketAddress peer() {
        return peer;
    }

    /** A number that no answer to an earlier question has. */
    int nextSeq() {
        return ++seq;
    }

    /**
     * The answer to a question, which is sent again after half of the timeout; null if there is none in time.
     *
     * @throws PortUnreachableException if nobody listens there
     */
    <T> T ask(Question<T> question, Duration timeout) throws IOException {
        byte[] into = question.room() > buffer.length ? new byte[question.room()] : buffer;
        question.requests(); // the first takes long, while the messages' classes are loaded
        long deadline = System.nanoTime() + timeout.toNanos();
        PortUnreachableException refused = null;
        for (long until : new long[] {deadline - timeout.toNanos() / 2, deadline}) {
            try {
                refused = null;
                T answer = ask(question, into, until);
                if (answer != null) {
                    return answer;
                }
            } catch (PortUnreachableException error) { // maybe of an earlier datagram: worth the second attempt
                refused = error;
            }
        }
        if (refused != null) {
            throw refused;
        }
        return null;
    }

    /** Sends the requests and waits for the answer; null if none arrives before {@code until} (System.nanoTime). */
    private <T> T ask(Question<T> question, byte[] into, long until) throws IOException {
        for (byte[] request : question.requests()) {
            socket.send(new DatagramPacket(request, request.length));
        }
        DatagramPacket packet = new DatagramPacket(into, into.length);
        for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
            socket.setSoTimeout((int) ((left + 999_999) / 1_000_000));
            packet.setLength(into.length);
            try {
                socket.receive(packet);
            } catch (SocketTimeoutException error) {
                return null;
            }
            boolean whole = packet.getLength() < into.length; // else it may have been longer
            T answer = whole ? question.answer(ByteBuffer.wrap(into, 0, packet.getLength())) : null;
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

package lars.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.function.Consumer;

/**
 * A client's socket to one shard for datagrams that get no answer, shared by all threads. Notices arrive at it.
 *
 * <p>Its channel does not block, so that a thread's interrupt does not close it.
 */
final class Sender implements AutoCloseable {
    private static final int MAX_NOTICES = 64; // taken in one turn

    private final Shard shard;
    private DatagramChannel channel;
    private InetSocketAddress peer;
    private boolean closed;
    private Selector notified;

    Sender(Shard shard) {
        this.shard = shard;
    }

    /** Sends a datagram; throws UncheckedIOException, IllegalStateException after close. */
    void send(byte[] datagram) {
        try {
            sendNow(datagram);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private synchronized void sendNow(byte[] datagram) throws IOException {
        if (closed) {
            throw new IllegalStateException("this LarsClient is closed: make a new one");
        }
        if (channel == null || !shard.peer().equals(peer)) {
            open();
        }
        try {
            channel.write(ByteBuffer.wrap(datagram));
        } catch (PortUnreachableException ofEarlierOne) { // and this one was not sent
            channel.write(ByteBuffer.wrap(datagram));
        }
    }

    private void open() throws IOException {
        disconnect();
        peer = shard.peer();
        DatagramChannel opened = DatagramChannel.open();
        try {
            opened.configureBlocking(false);
            opened.connect(peer);
            channel = opened;
            if (notified != null) {
                notifyOf(notified);
            }
        } catch (IOException error) {
            opened.close();
            throw error;
        }
    }

    /** From now on the selector wakes up when there are notices; the key's attachment is this Sender. */
    synchronized void notifyOf(Selector selector) throws ClosedChannelException {
        notified = selector;
        if (channel != null) {
            channel.register(selector, SelectionKey.OP_READ, this);
            selector.wakeup();
        }
    }

    /** Takes the notices that have arrived; does not wait. */
    void notices(ByteBuffer buffer, Consumer<ByteBuffer> taken) {
        for (int count = 0; count < MAX_NOTICES && read(buffer); count++) {
            taken.accept(buffer.flip());
        }
    }

    private synchronized boolean read(ByteBuffer buffer) {
        buffer.clear();
        try {
            return channel != null && channel.read(buffer) > 0;
        } catch (IOException error) { // of a datagram that the agent has refused, for example
            return false;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        disconnect();
    }

    private void disconnect() {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } finally {
            channel = null;
        }
    }
}

package lars.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/** A question to a shard that was down, for whose answer nobody waits. */
final class Probe implements AutoCloseable {
    private final DatagramChannel channel;
    private final HostQuestion question;

    Probe(InetSocketAddress peer, HostQuestion question) throws IOException {
        this.question = question;
        channel = DatagramChannel.open();
        try {
            channel.configureBlocking(false);
            channel.connect(peer);
            for (byte[] request : question.requests()) {
                channel.write(ByteBuffer.wrap(request));
            }
        } catch (IOException error) {
            channel.close();
            throw error;
        }
    }

    /** Whether the answer has arrived; a refusal is one, too. */
    boolean isAnswered() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(question.room());
        while (channel.read(buffer.clear()) > 0) {
            try {
                if (question.answer(buffer.flip()) != null) {
                    return true;
                }
            } catch (LarsException refusal) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}

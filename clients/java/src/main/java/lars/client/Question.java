package lars.client;

import java.nio.ByteBuffer;

/** One thing to ask the agent: a datagram to send to the module's shard, and a test of what comes back. No I/O. */
interface Question<T> {
    /** The datagram to send; sending it twice does no harm. */
    byte[] request();

    /** What the datagram answers, or null if it is no answer to this; throws LarsException if the agent said no. */
    T answer(ByteBuffer datagram);
}

package lars.client;

import java.nio.ByteBuffer;

/** A query to the agent: a datagram for the module's shard, and a parser of the answer. No I/O. */
interface Question<T> {
    /** The datagram to send; harmless if sent twice. */
    byte[] request();

    /** The answer, or null if the datagram does not answer this query; throws LarsException if the agent refuses. */
    T answer(ByteBuffer datagram);
}

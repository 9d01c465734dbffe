package lars.client;

import java.nio.ByteBuffer;
import java.util.List;

/** A query to the agent: datagrams for the module's shard, and a parser of the answer. No I/O. */
interface Question<T> {
    /** The datagrams to send, in this order; harmless if sent twice. */
    List<byte[]> requests();

    /** Size of the receive buffer in bytes; a datagram that fills it is no answer. */
    int room();

    /** The answer, or null if the datagram does not answer this query; throws LarsException if the agent refuses. */
    T answer(ByteBuffer datagram);
}

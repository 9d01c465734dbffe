package lars.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A datagram's one frame: int32 message id, int32 body length, both little-endian, then a message. */
final class Frame {
    static final int GET_HOST = 4;
    static final int HOST_ANSWER = 5;
    static final int REPORT = 6;
    static final int GET_ROUTE = 7;
    static final int ROUTE_ANSWER = 8;
    static final int GET_STATE = 10;
    static final int STATE_ANSWER = 11;
    static final int REPORT_BATCH = 12;

    private static final int HEADER_SIZE = 8;

    private Frame() {}

    static byte[] encode(int id, MessageLite message) {
        byte[] body = message.toByteArray();
        return ByteBuffer.allocate(HEADER_SIZE + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(id)
                .putInt(body.length)
                .put(body)
                .array();
    }

    /** The message, or null if the datagram is not one whole frame with such a message. */
    static <T> T decode(int id, ByteBuffer datagram, Parser<T> parser) {
        ByteBuffer data = datagram.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        if (data.remaining() < HEADER_SIZE || data.getInt() != id || data.getInt() != data.remaining()) {
            return null;
        }
        try {
            return parser.parseFrom(data);
        } catch (InvalidProtocolBufferException error) {
            return null;
        }
    }
}

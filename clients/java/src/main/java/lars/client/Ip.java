package lars.client;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** IPv4 addresses: dotted text, the wire's number in host order, and Java's; names are never resolved. */
final class Ip {
    private static final String BYTE = "(0|[1-9][0-9]{0,2})";
    private static final Pattern DOTTED = Pattern.compile(BYTE + "\\." + BYTE + "\\." + BYTE + "\\." + BYTE);

    private Ip() {}

    /** "192.168.1.177"; throws IllegalArgumentException for anything but a dotted IPv4 address. */
    static InetAddress parse(String text) {
        Matcher matcher = DOTTED.matcher(text);
        if (matcher.matches()) {
            long number = 0;
            boolean bytes = true;
            for (int group = 1; group <= 4; group++) {
                int value = Integer.parseInt(matcher.group(group));
                bytes &= value <= 255;
                number = number << 8 | value;
            }
            if (bytes) {
                return of((int) number);
            }
        }
        throw new IllegalArgumentException(
                "'%s' is not an IPv4 address: write it as 10.0.0.5 (Lars never resolves names)".formatted(text));
    }

    /** The address of a uint32, as protobuf gives it: the upper half is negative. */
    static InetAddress of(int number) {
        try {
            return InetAddress.getByAddress(ByteBuffer.allocate(4).putInt(number).array());
        } catch (UnknownHostException impossible) {
            throw new AssertionError(impossible); // that is for a wrong number of bytes
        }
    }

    /** The number of an IPv4 address, 0 to 2^32 - 1. */
    static long unsigned(InetAddress address) {
        return Integer.toUnsignedLong(number(address));
    }

    /** The uint32 of an IPv4 address, as protobuf takes it. */
    static int number(InetAddress address) {
        return ByteBuffer.wrap(address.getAddress()).getInt();
    }
}

package lars.client;

import java.nio.charset.StandardCharsets;

/**
 * What a call is about: calls with one key go to one host where the policy of the module is consistent_hash.
 *
 * <p>Equal keys are the same for every process, language and version.
 *
 * @param number the key on the wire, an unsigned number other than 0
 */
public record Key(long number) {
    /**
     * A number is its own key, but that 0 is the largest one, because 0 on the wire is no key.
     *
     * @param number as above
     */
    public Key {
        number = number == 0 ? -1 : number;
    }

    /**
     * The key of a number, such as a user's.
     *
     * @param number any
     * @return its key
     */
    public static Key of(long number) {
        return new Key(number);
    }

    /**
     * The key of a text: that of its UTF-8 bytes.
     *
     * @param text any
     * @return its key
     */
    public static Key of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The key of some bytes: their 8-byte BLAKE2b digest (RFC 7693), read little-endian.
     *
     * @param bytes any
     * @return their key
     */
    public static Key of(byte[] bytes) {
        return new Key(Blake2b.digest(bytes, 8)[0]);
    }
}

package lars.client;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Keys and the table of consistent hashing: every language must have the same. The values are the Python client's. */
final class HashingTest {
    @Test
    void digestIsThatOfTheRfc() {
        StringBuilder hex = new StringBuilder();
        for (long word : Blake2b.digest("abc".getBytes(), 64)) {
            hex.append(HexFormat.of().toHexDigits(Long.reverseBytes(word)));
        }
        Check.equal(
                "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                        + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
                hex.toString());
    }

    @Test
    void keyOfATextIsItsDigest() {
        Check.equal(0xb4b2797457a0a6e4L, Key.of("").number());
        Check.equal(0xc15cb3142b9d076L, Key.of("user 17").number());
        Check.equal(0x224e1e874e31c90L, Key.of("x".repeat(128)).number());
        Check.equal(0xe601539f147a617cL, Key.of("y".repeat(129)).number());
        Check.equal(0x995a66357d3efee7L, Key.of("gr\u00fc\u00dfe").number());
    }

    @Test
    void numberIsItsOwnKeyButZero() {
        Check.equal(17L, Key.of(17).number());
        Check.equal(-1L, Key.of(0).number());
    }

    @Test
    void tableIsThatOfTheOtherClients() {
        int[] table = Maglev.table(
                new String[] {"10.0.0.5:80", "10.0.0.6:80", "10.0.0.7:80"}, new double[] {100, 50, 100}, 1009);
        int[] begins = {2, 0, 2, 1, 1, 2, 0, 2, 2, 2, 0, 0, 1, 0, 2, 2, 2, 0, 0, 2};
        Check.holds(Arrays.equals(begins, Arrays.copyOf(table, 20)), "the begin " + Arrays.toString(begins));
        for (int host = 0; host < 3; host++) {
            int number = host;
            Check.equal(
                    new long[] {404, 202, 403}[host],
                    IntStream.of(table).filter(each -> each == number).count());
        }
    }

    @Test
    void keyHasOneHostThatOfTheTable() {
        Policy policy = Policy.of("consistent_hash", new SplittableRandom(1));
        List<HostRecord> hosts = List.of(record("10.0.0.7"), record("10.0.0.5"), record("10.0.0.6"));
        hosts.get(2).assigned = 50;
        policy.rebuild(hosts);
        for (int call = 0; call < 10; call++) {
            Check.equal("10.0.0.7", picked(policy, 1, call));
            Check.equal("10.0.0.6", picked(policy, 17, call));
            Check.equal("10.0.0.5", picked(policy, -1, call));
        }
    }

    private static String picked(Policy policy, long key, double now) {
        HostRecord host = policy.pick(key, now);
        policy.report(host, false, Double.NaN);
        return host.host.ip();
    }

    private static HostRecord record(String ip) {
        HostRecord record = new HostRecord(Host.of(1, 1, ip, 80));
        record.assigned = 100;
        return record;
    }
}

package lars.client;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * The table of Maglev (Eisenbud et al., NSDI 2016, section 3.4), weighted as Envoy's maglev_lb.cc does; the same as
 * that of the agent and of the other clients, so that a key has one host whoever chooses.
 */
final class Maglev {
    private static final int[] SIZES = {1_009, 10_007, 65_537, 524_287}; // primes
    private static final int SLOTS_PER_HOST = 100;

    private Maglev() {}

    /** For each place of the table, the number of the host that has it. */
    static int[] table(List<HostRecord> hosts) {
        int size = Arrays.stream(SIZES)
                .filter(each -> each >= SLOTS_PER_HOST * hosts.size())
                .findFirst()
                .orElse(SIZES[SIZES.length - 1]);
        return table(
                hosts.stream().map(record -> record.host.toString()).toArray(String[]::new),
                hosts.stream().mapToDouble(record -> record.weight).toArray(),
                size);
    }

    static int[] table(String[] names, double[] weights, int size) {
        int[] place = new int[names.length];
        int[] skip = new int[names.length];
        for (int number = 0; number < names.length; number++) {
            long[] digest = Blake2b.digest(names[number].getBytes(StandardCharsets.UTF_8), 16);
            place[number] = (int) Long.remainderUnsigned(digest[0], size);
            skip[number] = (int) Long.remainderUnsigned(digest[1], size - 1) + 1;
        }
        double largest = Arrays.stream(weights).max().orElseThrow();
        double[] credit = new double[names.length];
        int[] table = new int[size];
        Arrays.fill(table, -1);
        for (int filled = 0; ; ) {
            for (int number = 0; number < names.length; number++) {
                credit[number] += weights[number] / largest;
                if (credit[number] < 1) {
                    continue;
                }
                credit[number] -= 1;
                while (table[place[number]] >= 0) {
                    place[number] = (place[number] + skip[number]) % size;
                }
                table[place[number]] = number;
                place[number] = (place[number] + skip[number]) % size;
                if (++filled == size) {
                    return table;
                }
            }
        }
    }
}

package lars.client;

import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * The host of a key; calls without a key go to a random one.
 *
 * <p>Load is bounded (Mirrokni, Thorup, Zadimoghaddam 2018): a host with more than its bound passes calls on to the
 * next one in the table.
 */
final class ConsistentHash implements Picker {
    private static final double BALANCE_FACTOR = 1.25; // times its share of the calls in flight that a host may have

    private final RandomGenerator random;
    private List<HostRecord> hosts = List.of();
    private int[] table = {};
    private double total;

    ConsistentHash(RandomGenerator random) {
        this.random = random;
    }

    @Override
    public void rebuild(List<HostRecord> eligible) {
        hosts = eligible.stream()
                .sorted(Comparator.comparing((HostRecord record) -> Ip.unsigned(record.host.address().getAddress()))
                        .thenComparing(record -> record.host.port()))
                .toList();
        table = Maglev.table(hosts);
        total = hosts.stream().mapToDouble(record -> record.weight).sum();
    }

    @Override
    public HostRecord pick(long key) {
        int place = (int) Long.remainderUnsigned(mix(key != 0 ? key : random.nextLong()), table.length);
        int number = table[place];
        int inFlight = 1;
        for (HostRecord host : hosts) {
            inFlight += host.inFlight;
        }
        for (int tried = 0; tried < hosts.size(); tried++) {
            HostRecord host = hosts.get(number);
            if (host.inFlight < BALANCE_FACTOR * inFlight * host.weight / total + 1) {
                return host;
            }
            int before = number;
            while (number == before && hosts.size() > 1) {
                place = (place + 1) % table.length;
                number = table[place];
            }
        }
        return hosts.stream()
                .min(Comparator.comparingDouble(record -> record.inFlight * record.scale))
                .orElseThrow();
    }

    /** Spreads a key over 64 bits (the finalizer of SplitMix64, Steele et al. 2014). */
    static long mix(long key) {
        long mixed = key + 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ mixed >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return mixed ^ mixed >>> 31;
    }
}

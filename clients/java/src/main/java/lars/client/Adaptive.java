package lars.client;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * The host whose turn it is, or another one drawn at random that costs less.
 *
 * <p>Power of two choices (Mitzenmacher 2001; Finagle's P2CPick.scala), with turns instead of one of the draws, so that
 * it is round robin where all hosts are equal.
 */
final class Adaptive implements Picker {
    private final RandomGenerator random;
    private final SmoothTurns turns;
    private List<HostRecord> hosts = List.of();

    Adaptive(RandomGenerator random) {
        this.random = random;
        turns = new SmoothTurns(random);
    }

    @Override
    public void rebuild(List<HostRecord> eligible) {
        turns.rebuild(eligible);
        hosts = eligible;
    }

    @Override
    public HostRecord pick(long key) {
        int at = turns.next();
        HostRecord first = hosts.get(at);
        int others = hosts.size() - 1;
        if (others == 0) {
            return first;
        }
        int other = random.nextInt(others);
        HostRecord second = hosts.get(other >= at ? other + 1 : other);
        return first.load() > second.load() ? second : first;
    }
}

package lars.client;

import java.util.List;
import java.util.random.RandomGenerator;

/** The eligible hosts in turn, by weight, whatever their load. */
final class RoundRobin implements Picker {
    private final SmoothTurns turns;
    private List<HostRecord> hosts = List.of();

    RoundRobin(RandomGenerator random) {
        turns = new SmoothTurns(random);
    }

    @Override
    public void rebuild(List<HostRecord> eligible) {
        turns.rebuild(eligible);
        hosts = eligible;
    }

    @Override
    public HostRecord pick(long key) {
        return hosts.get(turns.next());
    }
}

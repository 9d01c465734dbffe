package lars.client;

import java.util.List;
import java.util.random.RandomGenerator;

/** For classic and policies that this client does not know: hosts in turn, and only the agent ejects. */
final class Turns implements Policy {
    private final RandomGenerator random;
    private List<HostRecord> taking = List.of();
    private int at;

    Turns(RandomGenerator random) {
        this.random = random;
    }

    @Override
    public boolean agentEjects() {
        return true;
    }

    @Override
    public void rebuild(List<HostRecord> hosts) {
        taking = hosts.stream().filter(host -> host.assigned > 0).toList();
        at = taking.isEmpty() ? 0 : random.nextInt(taking.size());
    }

    @Override
    public HostRecord pick(long key, double now) {
        if (taking.isEmpty()) {
            return null;
        }
        at = at + 1 < taking.size() ? at + 1 : 0;
        return taking.get(at);
    }

    @Override
    public boolean adopt(HostRecord host) {
        return true;
    }

    @Override
    public void report(HostRecord host, boolean failed, double cost) {}

    @Override
    public void failedElsewhere(HostRecord host, double cost) {}

    @Override
    public void slowElsewhere(HostRecord host, double penalty) {}

    @Override
    public void silent(HostRecord host) {}

    @Override
    public double slowFrom() {
        return Double.POSITIVE_INFINITY;
    }

    @Override
    public void sweep() {}
}

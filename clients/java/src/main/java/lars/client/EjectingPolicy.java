package lars.client;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Picks by a picker; ejects hosts that fail alone; sheds load while most calls fail by being slow.
 *
 * <p>The rules of docs/design/balancing.md, ejecting policies; without zones and health checks, which are the agent's
 * part. Everything here is as in {@code lars/balancing/ejecting.py}.
 */
final class EjectingPolicy implements Policy {
    private static final double FORGET = 2; // seconds in which calls that are never reported are forgotten
    private static final int SECOND_DRAWS = 3;
    private static final double LEAST_SHARE = 0.05;

    private final Picker picker;
    private final RandomGenerator random;
    private final Ejection ejection;
    private final Latency latency = new Latency();
    private final Shedding shedding = new Shedding();
    private List<HostRecord> hosts = List.of();
    private long succeeded; // calls since the last sweep
    private int rebuilt = -1; // the version of the eligible hosts that the picker has

    EjectingPolicy(Picker picker, RandomGenerator random) {
        this.picker = picker;
        this.random = random;
        ejection = new Ejection(random);
    }

    @Override
    public boolean agentEjects() {
        return false;
    }

    @Override
    public void rebuild(List<HostRecord> wanted) {
        Set<HostRecord> before = new HashSet<>(hosts);
        Set<HostRecord> staying = new HashSet<>(wanted);
        hosts.stream()
                .filter(host -> !staying.contains(host) || host.assigned == 0)
                .forEach(this::leave);
        // The first hosts have their share at once.
        double joinedAt = hosts.isEmpty() ? -Ejection.RAMP : ejection.clock();
        wanted.stream().filter(host -> !before.contains(host)).forEach(host -> host.joinedAt = joinedAt);
        wanted.stream().filter(host -> host.weight != host.assigned).forEach(this::weigh);
        hosts = List.copyOf(wanted);
        ejection.ensureEligible();
    }

    private void leave(HostRecord host) {
        if (host.weight > 0) {
            ejection.remove(host);
            host.ejected = false;
            host.failures = 0;
            host.pain = 0;
            host.weight = 0;
        }
    }

    private void weigh(HostRecord host) {
        if (host.weight == 0) {
            ejection.add(host);
        }
        host.weight = host.assigned;
        ejection.changed();
    }

    @Override
    public HostRecord pick(long key, double now) {
        double admitted = shedding.admitted();
        if (admitted < 1 && random.nextDouble() > admitted || ejection.eligible().isEmpty()) {
            return null;
        }
        HostRecord host = ejection.nextCall(now);
        if (host == null) {
            host = picked(key);
        }
        host.inFlight++;
        return host;
    }

    private HostRecord picked(long key) {
        if (ejection.version() != rebuilt) {
            List<HostRecord> eligible = ejection.eligible();
            double mean = eligible.stream().mapToDouble(host -> host.weight).sum() / eligible.size();
            eligible.forEach(host -> host.scale = mean / host.weight);
            picker.rebuild(List.copyOf(eligible));
            rebuilt = ejection.version();
        }
        HostRecord host = picker.pick(key);
        return host.pain > 0 || ejection.isRamping(host) ? secondThoughts(host) : host;
    }

    /** Some more draws where the choice has just failed, or is not due its share yet. */
    private HostRecord secondThoughts(HostRecord first) {
        if (first.pain == 0 && random.nextDouble() < Math.max(LEAST_SHARE, ejection.share(first))) {
            return first;
        }
        List<HostRecord> eligible = ejection.eligible();
        int others = eligible.size() - 1;
        HostRecord best = first.pain > 0 ? first : null;
        for (int draw = 0; draw < SECOND_DRAWS && others > 0; draw++) {
            HostRecord other = eligible.get(random.nextInt(others));
            if (other == first) { // so that each of the others is as likely
                other = eligible.get(others);
            }
            if (ejection.isRamping(other) && random.nextDouble() > ejection.share(other)) {
                continue;
            }
            if (best == null || other.load() < best.load()) {
                best = other;
            }
        }
        return best != null ? best : first;
    }

    @Override
    public boolean adopt(HostRecord host) {
        if (host.ejected || host.pain > 0) {
            return false;
        }
        host.inFlight++;
        return true;
    }

    @Override
    public void report(HostRecord host, boolean failed, double cost) {
        if (host.inFlight > 0) {
            host.inFlight--;
        }
        if (cost > 0 && !failed) {
            latency.learn(host, cost);
        }
        if (host.weight == 0) {
            return; // nothing is to be decided of it
        }
        boolean slow = failed && latency.isSlow(cost);
        if (host.ejected) {
            ejection.probed(host, failed, slow);
        } else if (failed) {
            shedding.failed(slow);
            ejection.failed(host, slow);
        } else {
            succeeded++;
            ejection.succeeded(host);
        }
    }

    @Override
    public void failedElsewhere(HostRecord host, double cost) {
        if (host.weight > 0 && !host.ejected) {
            ejection.failedElsewhere(host, latency.isSlow(cost));
        }
    }

    @Override
    public void slowElsewhere(HostRecord host, double penalty) {
        latency.learnPenalty(host, penalty);
    }

    @Override
    public void silent(HostRecord host) {
        if (host.weight > 0 && !host.ejected) {
            ejection.silent(host);
        }
    }

    @Override
    public double slowFrom() {
        return latency.slowFrom();
    }

    @Override
    public void sweep() {
        double passed = ejection.sweep();
        if (passed == 0) {
            return;
        }
        shedding.interval(succeeded, latency);
        succeeded = 0;
        ejection.hurry(shedding.admitted() < 1);
        for (HostRecord host : hosts) {
            latency.decay(host, passed);
            host.leak += host.inFlight * passed / FORGET;
            int whole = (int) host.leak;
            host.leak -= whole;
            host.inFlight -= Math.min(host.inFlight, whole);
            host.stale = Math.min(host.stale, host.inFlight);
        }
    }
}

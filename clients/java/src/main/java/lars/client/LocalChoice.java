package lars.client;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The hosts of a module, and the policy that chooses among them; guarded by the module's lock.
 *
 * <p>{@code now} is in seconds. A cost is in seconds, too, and NaN where it is not known.
 */
final class LocalChoice {
    private static final double LOOK = 0.1; // seconds between two looks for silent hosts
    private static final double LOOK_HOSTS = 4_000; // one second more for so many hosts
    private static final double SWEEP = 1;

    private final Policy policy;
    private Map<InetSocketAddress, HostRecord> hosts = Map.of();
    private List<Host> silent = new ArrayList<>();
    private double lookAt = Double.NEGATIVE_INFINITY;
    private double sweepAt = Double.NEGATIVE_INFINITY;

    LocalChoice(Policy policy) {
        this.policy = policy;
    }

    boolean agentEjects() {
        return policy.agentEjects();
    }

    /** The record of a host, or null. */
    HostRecord host(InetSocketAddress address) {
        return hosts.get(address);
    }

    /** Replaces the hosts; the same record is the same host. */
    void rebuild(List<HostRecord> replacement) {
        Map<InetSocketAddress, HostRecord> byAddress = new HashMap<>();
        replacement.forEach(host -> byAddress.put(host.host.address(), host));
        hosts = byAddress;
        policy.rebuild(List.copyOf(byAddress.values()));
    }

    /** The host for a call about {@code key}, 0 for none; null when the call should not be made. */
    HostRecord pick(long key, double now) {
        if (now >= lookAt) {
            look(now);
        }
        return policy.pick(key, now);
    }

    /** Takes the agent's choice for a call; false if this process should not call the host: choose another. */
    boolean adopt(HostRecord host) {
        if (!host.agentProbes && !policy.adopt(host)) {
            return false;
        }
        host.asked++;
        return true;
    }

    /** Takes a result; whether it is to be reported by itself: it is a failure, or the agent chose the host. */
    boolean report(HostRecord host, boolean failed, double cost) {
        host.answered = true;
        host.called = true;
        boolean alone = failed || host.asked > 0;
        if (host.asked > 0) {
            host.asked--;
        }
        policy.report(host, failed, cost);
        return alone;
    }

    /** Takes the failure of a call that another process has made: calls of this one go round the host, too. */
    void failedElsewhere(HostRecord host, double cost) {
        policy.failedElsewhere(host, cost);
    }

    /** Takes it that a call of another process to the host takes much longer than calls do. */
    void silentElsewhere(HostRecord host) {
        policy.silent(host);
    }

    /**
     * Takes as how many calls one to each host counts, 1 where none is given, as all processes know it. Of a host that
     * this process has called since, it knows better if the host is slower.
     */
    void slowElsewhere(Map<InetSocketAddress, Double> penalties) {
        hosts.forEach((address, host) -> {
            double penalty = penalties.getOrDefault(address, 1.0);
            if (!host.called || penalty > host.penalty) {
                policy.slowElsewhere(host, penalty);
            }
            host.called = false;
        });
    }

    /** Looks for silent hosts, and lets time pass. */
    private void look(double now) {
        lookAt = now + LOOK + hosts.size() / LOOK_HOSTS;
        hosts.values().forEach(host -> look(host, now));
        if (now >= sweepAt) {
            sweepAt = now + SWEEP;
            policy.sweep();
        }
    }

    private void look(HostRecord host, double now) {
        if (host.answered || host.inFlight == 0) {
            host.answered = false;
            host.silent = false;
            host.waitingSince = Double.NaN;
        } else if (Double.isNaN(host.waitingSince)) {
            host.waitingSince = now;
        } else if (!host.silent && now - host.waitingSince > policy.slowFrom()) {
            host.silent = true;
            policy.silent(host);
            silent.add(host.host);
        }
    }

    boolean hasSilent() {
        return !silent.isEmpty();
    }

    /** Removes the silent hosts that are to be reported, and returns them. */
    List<Host> takeSilent() {
        List<Host> taken = silent;
        silent = new ArrayList<>();
        return taken;
    }
}

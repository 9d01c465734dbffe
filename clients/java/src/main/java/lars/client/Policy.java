package lars.client;

import java.util.List;
import java.util.random.RandomGenerator;

/** How this process chooses among the hosts of a module; guarded by the module's lock. Costs are in seconds. */
interface Policy {
    /** The policy by this name; for one that is not known or does not eject, {@link Turns}. */
    static Policy of(String name, RandomGenerator random) {
        return switch (name) {
            case "adaptive" -> new EjectingPolicy(new Adaptive(random), random);
            case "round_robin" -> new EjectingPolicy(new RoundRobin(random), random);
            case "consistent_hash" -> new EjectingPolicy(new ConsistentHash(random), random);
            default -> new Turns(random);
        };
    }

    /** Whether this process ejects no host itself. */
    boolean agentEjects();

    /** Replaces the hosts; the same object is the same host. */
    void rebuild(List<HostRecord> hosts);

    /** The host for a call about {@code key}, 0 for none; null when the call should not be made. */
    HostRecord pick(long key, double now);

    /** Counts a call for which the agent chose the host; false if this process should not call it. */
    boolean adopt(HostRecord host);

    /** Takes the result of a call; its cost is NaN where that is not known. */
    void report(HostRecord host, boolean failed, double cost);

    /** Takes the failure of another process's call. */
    void failedElsewhere(HostRecord host, double cost);

    /** Takes as how many calls one to the host counts, as all processes know it. */
    void slowElsewhere(HostRecord host, double penalty);

    /** Takes it that a call to the host takes much longer than calls do. */
    void silent(HostRecord host);

    /** Seconds beyond which a call takes much longer than the module's calls usually do; infinite while unknown. */
    double slowFrom();

    /** Lets time pass; called about once a second. */
    void sweep();
}

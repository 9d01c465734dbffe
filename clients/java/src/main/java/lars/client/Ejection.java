package lars.client;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Which hosts of a module get no calls of this process for a while, by their failures.
 *
 * <p>The rules and their numbers are those of docs/design/balancing.md, ejection. Evidence decays with time and is
 * judged against the other hosts of the module, so that what fails everywhere ejects nobody.
 */
final class Ejection {
    /** Seconds in which a host that joins or is restored gets its share of calls. */
    static final double RAMP = 2;

    private static final double STEP = 0.05;
    private static final double DECAY = 10;
    private static final double PRIOR = 4;
    private static final int IN_A_ROW = 2;
    private static final double CHANCE = 1e-6;
    private static final double FACTOR = 2;
    private static final double EXCESS = 0.1;
    private static final double FIRST_WAIT = 6;
    private static final double MAX_WAIT = 10;
    private static final double MAX_SLOW_WAIT = 20;
    private static final double HURRIED_WAIT = 0.5;
    private static final double LONGEST = 600;
    private static final double JITTER = 0.2;
    private static final int PROBE_GAP = 20;
    private static final int TROUBLED_GAP = 2;
    private static final int SLOW_STRIKES = 4;
    private static final double FORGIVEN = 30;
    private static final double PAIN = 4;
    private static final double SLOW_PAIN = 8;
    private static final int MAX_PAIN_ROW = 8;
    private static final double PAIN_DECAY = 2;
    private static final double LEAST_PAIN = 0.2;

    private final RandomGenerator random;
    private final List<HostRecord> eligible = new ArrayList<>();
    private final List<HostRecord> ejected = new ArrayList<>();
    private double clock;
    private double last;
    private double swept;
    private double nextProbe = Double.POSITIVE_INFINITY;
    private double nextDeadline = Double.POSITIVE_INFINITY;
    private int sinceProbe;
    private boolean hurried;
    private double good; // the sums of the eligible hosts
    private double bad;
    private double trouble; // share of failures among the last ten calls or so
    private int version;

    Ejection(RandomGenerator random) {
        this.random = random;
    }

    /** Seconds that have passed for the module; with little traffic slower than time, so that evidence keeps. */
    double clock() {
        return clock;
    }

    List<HostRecord> eligible() {
        return eligible;
    }

    /** Another number whenever the eligible hosts have changed. */
    int version() {
        return version;
    }

    /** The eligible hosts, or their weights, have changed. */
    void changed() {
        version++;
    }

    /** A host that takes calls from now on, at a random place. */
    void add(HostRecord host) {
        eligible.add(random.nextInt(eligible.size() + 1), host);
        changed();
    }

    /** A host that leaves. */
    void remove(HostRecord host) {
        (host.ejected ? ejected : eligible).remove(host);
        if (!host.ejected) {
            good -= host.good;
            bad -= host.bad;
        }
        schedule();
        changed();
    }

    /** Restores an ejected host if no other is left. */
    void ensureEligible() {
        if (eligible.isEmpty() && !ejected.isEmpty()) {
            restore(earliest(Comparator.comparingDouble(host -> host.probeAt)));
        }
    }

    /** Lets the module's clock go on for one call; the ejected host that the call is to probe, or null. */
    HostRecord nextCall(double now) {
        clock += Math.min(Math.max(0, now - last), STEP);
        last = Math.max(now, last); // threads come in any order
        return ejected.isEmpty() ? null : probe();
    }

    private HostRecord probe() {
        sinceProbe++;
        boolean due = clock >= nextProbe && sinceProbe >= PROBE_GAP;
        HostRecord probed;
        // While most calls fail, the ejected hosts are as good a guess as the others.
        if (due || trouble > 0.5 && sinceProbe >= TROUBLED_GAP) {
            probed = earliest(Comparator.comparingDouble(host -> host.probeAt));
        } else if (last >= nextDeadline) {
            probed = earliest(Comparator.comparingDouble(host -> host.deadline));
        } else {
            return null;
        }
        sinceProbe = 0;
        await(probed);
        return probed;
    }

    private HostRecord earliest(Comparator<HostRecord> order) {
        return ejected.stream().min(order).orElseThrow();
    }

    /** Sets the time of an ejected host's next probe. */
    private void await(HostRecord host) {
        double longest = hurried ? HURRIED_WAIT : host.failedSlowly ? MAX_SLOW_WAIT : MAX_WAIT;
        double seconds = Math.min(longest, FIRST_WAIT * Math.pow(2, Math.min(host.strikes - 1, 9)));
        double jitter = JITTER * (2 * random.nextDouble() - 1);
        host.probeAt = clock + seconds * (1 + jitter);
        host.deadline = last + LONGEST * (1 + Math.abs(jitter));
        schedule();
    }

    /** Whether every ejected host is probed soon from now on, however often that was in vain. */
    void hurry(boolean soon) {
        if (soon && !hurried) {
            ejected.forEach(host -> host.probeAt = Math.min(host.probeAt, clock + HURRIED_WAIT));
            schedule();
        }
        hurried = soon;
    }

    private void schedule() {
        nextProbe = Double.POSITIVE_INFINITY;
        nextDeadline = Double.POSITIVE_INFINITY;
        for (HostRecord host : ejected) {
            nextProbe = Math.min(nextProbe, host.probeAt);
            nextDeadline = Math.min(nextDeadline, host.deadline);
        }
    }

    /** Whether a host does not get its whole share of calls yet (slow start). */
    boolean isRamping(HostRecord host) {
        return clock - host.joinedAt < RAMP;
    }

    /** The part of its share of calls that a host gets by now, 0 to 1. */
    double share(HostRecord host) {
        return Math.min(1, (clock - host.joinedAt) / RAMP);
    }

    /** Counts a successful call to an eligible host. */
    void succeeded(HostRecord host) {
        trouble *= 0.9;
        host.good++;
        good++;
        host.failures = 0;
        host.pain = 0;
    }

    /** Counts a failed call to an eligible host, and ejects it if that is due. */
    void failed(HostRecord host, boolean slow) {
        trouble += 0.1 * (1 - trouble);
        host.bad++;
        bad++;
        failedElsewhere(host, slow);
        judge(host, slow);
    }

    /** Counts a failed call to an eligible host only as one in a row, and as pain. */
    void failedElsewhere(HostRecord host, boolean slow) {
        host.failures++;
        host.pain = (slow ? SLOW_PAIN : PAIN) * Math.min(MAX_PAIN_ROW, host.failures);
    }

    /** A call to the host takes much longer than calls do: it is as painful as one that has failed so. */
    void silent(HostRecord host) {
        host.pain = Math.max(host.pain, SLOW_PAIN);
    }

    /** Takes the result of a call to an ejected host, and restores it if that is due. */
    void probed(HostRecord host, boolean failed, boolean slow) {
        if (host.stale > 0) {
            host.stale--;
        } else if (failed) {
            host.strikes += slow ? SLOW_STRIKES : 1;
            host.failedSlowly = slow;
            await(host);
        } else {
            restore(host);
        }
    }

    /** After a failure: ejects the host if it is this host that fails, and not all of them. */
    private void judge(HostRecord host, boolean slow) {
        long failing = eligible.stream().filter(each -> each.failures > 0).count();
        if (eligible.size() < 2 || 2 * failing > eligible.size() + 1) {
            return;
        }
        double othersGood = good - host.good;
        double othersBad = bad - host.bad;
        double others = othersBad / (othersGood + othersBad + PRIOR);
        double share = host.bad / (host.good + host.bad + PRIOR);
        boolean inARow = host.failures >= IN_A_ROW && Math.pow(others, host.failures) < CHANCE;
        if (inARow || share > FACTOR * others + EXCESS) {
            eject(host, slow);
        }
    }

    private void eject(HostRecord host, boolean slow) {
        if (clock - host.joinedAt > FORGIVEN) {
            host.strikes = 0;
        }
        host.strikes += slow ? SLOW_STRIKES : 1;
        host.failedSlowly = slow;
        host.ejected = true;
        host.stale = host.inFlight;
        eligible.remove(host);
        ejected.add(host);
        good -= host.good;
        bad -= host.bad;
        changed();
        await(host);
    }

    private void restore(HostRecord host) {
        host.failures = 0;
        host.pain = 0;
        host.joinedAt = clock;
        host.ejected = false;
        ejected.remove(host);
        good += host.good;
        bad += host.bad;
        schedule();
        add(host);
    }

    /** Lets evidence decay, about once a second; the seconds of the module's clock that have passed. */
    double sweep() {
        double passed = clock - swept;
        if (passed == 0) {
            return 0;
        }
        swept = clock;
        double keep = Math.exp(-passed / DECAY);
        double soothe = Math.exp(-passed / PAIN_DECAY);
        for (List<HostRecord> hosts : List.of(eligible, ejected)) {
            for (HostRecord host : hosts) {
                host.good *= keep;
                host.bad *= keep;
                host.pain = host.pain > LEAST_PAIN ? host.pain * soothe : 0;
            }
        }
        good = eligible.stream().mapToDouble(host -> host.good).sum();
        bad = eligible.stream().mapToDouble(host -> host.bad).sum();
        return passed;
    }
}

package lars.client;

/**
 * How long the successful calls of a module take, and how much longer those of one host do; costs are in seconds.
 *
 * <p>The rules of docs/design/balancing.md, latency.
 */
final class Latency {
    private static final double SMOOTHING = 0.05;
    private static final double BAND = 1.25;
    private static final double SLACK = 0.001;
    private static final double MAX_PENALTY = 8;
    private static final int RECENT_CALLS = 40;
    private static final int USUAL_CALLS = 1000;
    private static final int WARMUP_CALLS = 50;
    private static final double SLOW_TIMES = 8;
    private static final double SLOW_MORE = 0.010;
    private static final double DECAY = 10;

    private int timed;
    private double usual;
    private double recent;

    /** Mean over the last thousand calls or so. */
    double usual() {
        return usual;
    }

    /** Mean over the last forty calls or so. */
    double recent() {
        return recent;
    }

    /** Takes the cost of a successful call. A peak counts as twice the mean at most, so that one says little. */
    void learn(HostRecord host, double cost) {
        timed = Math.min(timed + 1, USUAL_CALLS);
        boolean known = timed > WARMUP_CALLS;
        usual += ((known ? Math.min(cost, 2 * usual) : cost) - usual) / timed;
        recent += ((known ? Math.min(cost, 2 * recent) : cost) - recent) / Math.min(timed, RECENT_CALLS);
        host.latency = host.latency != 0 ? host.latency + SMOOTHING * (cost - host.latency) : cost;
        if (timed >= WARMUP_CALLS) {
            host.penalty = Math.min(MAX_PENALTY, Math.max(1, host.latency / top()));
        }
    }

    /** Whether a failed call took much longer than the module's calls usually do, as a timeout does. */
    boolean isSlow(double cost) {
        return cost > slowFrom();
    }

    /** Seconds beyond which a call takes much longer than the module's calls usually do; infinite while unknown. */
    double slowFrom() {
        return timed < WARMUP_CALLS
                ? Double.POSITIVE_INFINITY
                : Math.max(SLOW_TIMES * usual, usual + SLOW_MORE);
    }

    /** Takes it that a host is as slow as others have found. */
    void learnPenalty(HostRecord host, double penalty) {
        if (penalty != host.penalty && recent != 0) {
            host.penalty = Math.min(penalty, MAX_PENALTY);
            host.latency = host.penalty * top();
        }
    }

    /** Brings a slow host's latency nearer to the module's, so that it is tried again. */
    void decay(HostRecord host, double seconds) {
        if (host.penalty > 1) {
            double excess = Math.min(host.latency, MAX_PENALTY * top()) - recent;
            host.latency = recent + excess * Math.exp(-seconds / DECAY);
            host.penalty = Math.max(1, host.latency / top());
        }
    }

    /** The latency beyond which a host has a penalty. */
    private double top() {
        return BAND * recent + SLACK;
    }
}

package lars.client;

/**
 * One host of a module, and what this process knows of it: evidence, load, latency. Guarded by the module's lock.
 *
 * <p>The fields are those of {@code lars/balancing/record.py}. Times without a word on them are in seconds on the
 * module's clock ({@link Ejection#clock}).
 */
final class HostRecord {
    final Host host;

    /** Successful calls that have not been reported. */
    final Gathered gathered;

    /** Its weight by the agent's state; 0 if it is drained, or only the agent may choose it. */
    int assigned;

    /** Whether the agent has ejected it: to probe it is the agent's part. */
    boolean agentProbes;

    /** Its share of calls relative to the others; 0 while it takes none. */
    double weight;

    /** The mean weight of the eligible hosts divided by its own. */
    double scale = 1;

    /** Calls picked and not reported. */
    int inFlight;

    /** Calls under way for which the agent chose the host; their results are reported one by one. */
    int asked;

    /** Successful and failed calls, decaying. */
    double good;

    double bad;

    /** Failed calls in a row. */
    int failures;

    /** Calls that a recent failure counts as, besides those in flight; 0 when all is well. */
    double pain;

    /** Seconds that its calls take, smoothed; 0 while unknown. */
    double latency;

    /** How often longer than the module's calls its calls take, 1 or more. */
    double penalty = 1;

    /** Whether this process has ejected it, so that it gets probes only. */
    boolean ejected;

    /** Whether its last failure while ejected, or the one that ejected it, was slow. */
    boolean failedSlowly;

    /** Calls in flight from before it was ejected, whose results say nothing new. */
    int stale;

    /** How often it was ejected and probed in vain; doubles the time to the next probe. */
    int strikes;

    /** When its next probe is due. */
    double probeAt;

    /** When, in real time, it is probed in any case. */
    double deadline;

    /** When it joined or was restored; its share grows from then on. */
    double joinedAt;

    /** Fraction of a call in flight that is about to be forgotten. */
    double leak;

    /** Whether a call has ended since the agent last said which hosts are slow. */
    boolean called;

    /** Whether a call has ended since the last look for silent hosts. */
    boolean answered;

    /** The first look, in real time, since which calls are under way and none has ended; NaN if there is none such. */
    double waitingSince = Double.NaN;

    /** Whether that is so for much longer than calls take. */
    boolean silent;

    HostRecord(Host host) {
        this.host = host;
        gathered = new Gathered(host);
    }

    /** What one more call would cost: 1 and the calls there, by weight, times its slowness. */
    double load() {
        return ((inFlight + pain) * scale + 1) * penalty;
    }
}

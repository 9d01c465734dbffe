package lars.client;

/**
 * Load shedding: a share of the calls is refused while most fail by being slow, and let in again in steps.
 *
 * <p>The rules of docs/design/balancing.md, shedding.
 */
final class Shedding {
    private static final int MIN_CALLS = 8;
    private static final double FAILING = 0.5;
    private static final double SLOW = 0.2;
    private static final double WELL = 0.1;
    private static final double DOWN = 0.7;
    private static final double UP = 1.05;
    private static final double FAST = 1.5;
    private static final double KEEP = 0.5;
    private static final double FLOOR = 0.1;
    private static final double FRESH = 2;

    private long calls;
    private long failed;
    private long slowly;
    private double safe = 1;
    private boolean falling;
    private double admitted = 1;

    /** The share of calls that is let in. */
    double admitted() {
        return admitted;
    }

    void failed(boolean slow) {
        calls++;
        failed++;
        slowly += slow ? 1 : 0;
    }

    /** Decides, about once a second, for the next interval by the results of this one. */
    void interval(long succeeded, Latency latency) {
        calls += succeeded;
        if (calls >= MIN_CALLS && failed > FAILING * calls && slowly > SLOW * calls) {
            if (!falling) {
                safe = KEEP * admitted;
                falling = true;
            }
            admitted = Math.max(FLOOR, admitted * DOWN);
        } else if (calls > 0 && admitted < 1 && failed < WELL * calls) {
            boolean isSafe = admitted < safe || latency.recent() < FRESH * latency.usual();
            admitted = Math.min(1, admitted * (isSafe ? FAST : UP));
            falling = false;
        } else if (calls < MIN_CALLS) {
            return; // too few to decide: they count for the next interval
        }
        calls = failed = slowly = 0;
    }
}

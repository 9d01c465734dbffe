package lars.client;

import java.util.ArrayList;
import java.util.List;

/** The successful calls of a module that are to be reported together; guarded by the module's lock. */
final class Successes {
    private static final long MOST = 10_000;

    private final List<Gathered> pending = new ArrayList<>();
    private long count;
    private long limit = MOST;

    /** Counts one that took so many seconds, NaN where that is not known. */
    void add(Gathered host, double cost) {
        if (host.calls == 0) {
            pending.add(host);
        }
        host.add(cost);
        count++;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Whether there are so many that they are to be reported without delay. */
    boolean areMany() {
        return count >= limit;
    }

    /** After a failure at most half of all successes wait at any time: they are sent after 2, 4, 8 … of them. */
    void failed() {
        limit = 2;
    }

    /** Removes all, and returns them. */
    List<Gathered> take() {
        List<Gathered> taken = pending.stream().map(Gathered::take).toList();
        pending.clear();
        count = 0;
        limit = Math.min(2 * limit, MOST);
        return taken;
    }
}

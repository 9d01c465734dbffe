package lars.client;

/** Successful calls to one host that have not been reported, and what they cost. */
final class Gathered {
    final Host host;
    long calls;
    long timed;

    /** Seconds that {@code timed} of the calls took in all. */
    double cost;

    Gathered(Host host) {
        this.host = host;
    }

    void add(double seconds) {
        calls++;
        if (!Double.isNaN(seconds)) {
            timed++;
            cost += seconds;
        }
    }

    /** Removes all, and returns it. */
    Gathered take() {
        Gathered taken = new Gathered(host);
        taken.calls = calls;
        taken.timed = timed;
        taken.cost = cost;
        calls = timed = 0;
        cost = 0;
        return taken;
    }
}

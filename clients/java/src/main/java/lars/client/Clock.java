package lars.client;

import java.time.Duration;

/** Time in seconds, which never goes back. */
final class Clock {
    private static final long START = System.nanoTime();

    private Clock() {}

    /** Seconds since this class was loaded. */
    static double now() {
        return (System.nanoTime() - START) / 1e9;
    }

    static double seconds(Duration duration) {
        return duration.getSeconds() + duration.getNano() / 1e9;
    }
}

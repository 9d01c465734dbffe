package lars.client;

import java.util.List;

/** Picks one of the eligible hosts of a module. */
interface Picker {
    /** Replaces the hosts among which it picks; there is at least one, and each has a weight above 0. */
    void rebuild(List<HostRecord> eligible);

    /** The host for a call about {@code key}, 0 for none. */
    HostRecord pick(long key);
}

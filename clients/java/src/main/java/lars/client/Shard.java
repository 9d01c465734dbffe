package lars.client;

import java.net.InetSocketAddress;

/** What a client knows of one shard of the agent. Times are in seconds (Clock). */
final class Shard {
    private static final double RETRY = 1; // seconds between two attempts to reach a shard that does not answer
    private static final double UNSUPPORTED_TTL = 60;

    private final int number;
    private volatile InetSocketAddress peer;
    private volatile boolean alive = true;
    private volatile String stateDir = "";
    private volatile double unsupportedUntil = Double.NEGATIVE_INFINITY;
    private double retryAt = Double.NEGATIVE_INFINITY;

    Shard(int number, InetSocketAddress peer) {
        this.number = number;
        this.peer = peer;
    }

    int number() {
        return number;
    }

    InetSocketAddress peer() {
        return peer;
    }

    /** The agent's name has another address. */
    void move(InetSocketAddress address) {
        peer = address;
    }

    /** False from the first query without an answer until the next answer. */
    boolean isAlive() {
        return alive;
    }

    /** Sets that; returns whether it was otherwise. */
    synchronized boolean setAlive(boolean answers) {
        boolean changed = alive != answers;
        alive = answers;
        return changed;
    }

    /** The folder where the agent says that it saves routes; empty if it has not. */
    String stateDir() {
        return stateDir;
    }

    void savesIn(String folder) {
        stateDir = folder;
    }

    /** Whether it may be asked for route states. */
    boolean knowsStates(double now) {
        return now >= unsupportedUntil;
    }

    /** It answered get_host but not the request for the route state: a C++ agent, for example. */
    void statesUnsupported(double now) {
        unsupportedUntil = now + UNSUPPORTED_TTL;
    }

    /** Whether it is time for another attempt; if so, the one after that is due a second later. */
    synchronized boolean isDue(double now) {
        if (now < retryAt) {
            return false;
        }
        retryAt = now + RETRY;
        return true;
    }
}

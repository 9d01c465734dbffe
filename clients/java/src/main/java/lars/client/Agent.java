package lars.client;

import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Where the agent is; looked up again after failures if it was given by a name, which a new container keeps. */
final class Agent {
    private static final long PAUSE = TimeUnit.SECONDS.toNanos(5);

    private final String text;
    private final boolean isNamed;
    private final AtomicLong next = new AtomicLong(System.nanoTime());
    private volatile AgentAddress address;

    /** Throws IllegalArgumentException for what is no address, and for a name that has none. */
    Agent(String text) {
        this.text = text;
        address = AgentAddress.parse(text);
        isNamed = AgentAddress.isNamed(text);
    }

    /** Where a shard is now. */
    InetSocketAddress shard(int number) {
        return address.shard(number);
    }

    /** A question had no answer: looks a name up, in a thread since that may take long, at most once in 5 s. */
    void unanswered() {
        long now = System.nanoTime();
        long due = next.get();
        if (isNamed && now - due >= 0 && next.compareAndSet(due, now + PAUSE)) {
            Thread lookup = new Thread(this::lookUp, "lars-lookup");
            lookup.setDaemon(true);
            lookup.start();
        }
    }

    private void lookUp() {
        try {
            address = AgentAddress.parse(text);
        } catch (IllegalArgumentException error) {
            return; // the name server may be away: the next failure tries again
        }
    }
}

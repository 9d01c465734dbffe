package lars.client;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.LinkedBlockingDeque;

/** The pool of unused links to one shard; safe for any number of threads. */
final class Links implements AutoCloseable {
    private static final int KEPT = 64;

    private final Agent agent;
    private final int number;
    private final LinkedBlockingDeque<Link> idle = new LinkedBlockingDeque<>(KEPT);
    private volatile boolean closed;

    Links(Agent agent, int number) {
        this.agent = agent;
        this.number = number;
    }

    /** Where the shard is now. */
    InetSocketAddress shard() {
        return agent.shard(number);
    }

    /** A question had no answer. */
    void unanswered() {
        agent.unanswered();
    }

    /** A link for one call, to be put back; throws IllegalStateException after close. */
    Link take() throws IOException {
        InetSocketAddress shard = shard();
        for (Link link = idle.pollFirst(); link != null; link = idle.pollFirst()) {
            if (link.shard().equals(shard)) {
                return link;
            }
            link.close(); // the agent has moved
        }
        return fresh(HostQuestion.ROOM);
    }

    /** A link outside the pool; throws IllegalStateException after close. */
    Link fresh(int room) throws IOException {
        if (closed) {
            throw new IllegalStateException("this LarsClient is closed: make a new one");
        }
        return new Link(shard(), room);
    }

    void putBack(Link link) {
        if (!idle.offerFirst(link)) {
            link.close();
        }
        if (closed) {
            closeIdle();
        }
    }

    @Override
    public void close() {
        closed = true;
        closeIdle();
    }

    private void closeIdle() {
        for (Link link = idle.pollFirst(); link != null; link = idle.pollFirst()) {
            link.close();
        }
    }
}

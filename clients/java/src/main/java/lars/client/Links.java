package lars.client;

import java.io.IOException;
import java.util.concurrent.LinkedBlockingDeque;

/** The pool of unused links to one shard; safe for any number of threads. */
final class Links implements AutoCloseable {
    private static final int KEPT = 64;

    private final Shard shard;
    private final LinkedBlockingDeque<Link> idle = new LinkedBlockingDeque<>(KEPT);
    private volatile boolean closed;

    Links(Shard shard) {
        this.shard = shard;
    }

    /** A link for one call, to be put back; throws IllegalStateException after close. */
    Link take() throws IOException {
        for (Link link = idle.pollFirst(); link != null; link = idle.pollFirst()) {
            if (link.peer().equals(shard.peer())) {
                return link;
            }
            link.close(); // the agent has moved
        }
        return fresh();
    }

    /** A link outside the pool; throws IllegalStateException after close. */
    Link fresh() throws IOException {
        if (closed) {
            throw new IllegalStateException("this LarsClient is closed: make a new one");
        }
        return new Link(shard.peer());
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

package lars.client;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/** The agent's name is looked up again when it does not answer: a container made anew has another address. */
final class Lookup {
    private static final double PAUSE = 5; // seconds from the begin of a lookup to the next one at the earliest

    private final String name;
    private final List<Shard> shards;
    private final Resolver resolver;
    private double next = Double.NEGATIVE_INFINITY;

    /** Finds the IPv4 address of a name; throws IllegalArgumentException. */
    interface Resolver {
        InetAddress resolve(String name);
    }

    /** Moves these shards; without a name there is nothing to look up. */
    Lookup(String name, List<Shard> shards, Resolver resolver) {
        this.name = name;
        this.shards = shards;
        this.resolver = resolver;
    }

    /** A query had no answer: looks the name up in a thread, so that no call waits for a name server. */
    synchronized void unanswered(double now) {
        if (name != null && now >= next) {
            next = now + PAUSE;
            Thread thread = new Thread(this::lookUp, "lars-lookup");
            thread.setDaemon(true);
            thread.start();
        }
    }

    private void lookUp() {
        InetAddress found;
        try {
            found = resolver.resolve(name);
        } catch (IllegalArgumentException error) { // the next query without an answer tries again
            return;
        }
        for (Shard shard : shards) {
            if (!shard.peer().getAddress().equals(found)) {
                shard.move(new InetSocketAddress(found, shard.peer().getPort()));
            }
        }
    }
}

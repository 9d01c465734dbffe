package lars.client;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a client does while the agent does not answer: hosts come from its saved routes, it is probed once a second, and
 * its name is looked up again. Safe for threads.
 */
final class Fallback implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("lars.client");

    private final List<SavedRoutes> saved = new ArrayList<>(); // by shard; empty where none are used
    private final Probe[] probes = new Probe[AgentAddress.SHARDS];
    private final boolean followsAgent;
    private final Lookup lookup;
    private boolean closed;

    Fallback(String folder, boolean followsAgent, Lookup lookup) {
        this.followsAgent = followsAgent;
        this.lookup = lookup;
        for (int shard = 0; shard < AgentAddress.SHARDS && !folder.isEmpty(); shard++) {
            saved.add(new SavedRoutes(folder, shard));
        }
    }

    /** The shard answered a question. */
    void answered(Shard shard) {
        if (!shard.isAlive() && shard.setAlive(true)) {
            String peer = AgentUnavailableException.written(shard.peer());
            LOG.log(System.Logger.Level.INFO, "the agent at " + peer + " answers again");
        }
    }

    /** A question had no answer, with this refusal as the consequence. Logged once, until the shard answers again. */
    void unanswered(Shard shard, AgentUnavailableException refusal, double now) {
        lookup.unanswered(now);
        if (shard.setAlive(false)) {
            shard.isDue(now);
            String then = "; until it answers, hosts are chosen from its saved routes, if those can be read";
            LOG.log(System.Logger.Level.WARNING, refusal.getMessage() + (saved.isEmpty() ? "" : then));
        }
    }

    /** The next host from the saved routes; null if the shard is not down, or they do not have the module. */
    Host host(ModuleCache cache, double now) {
        return cache.shard().isAlive() || saved.isEmpty()
                ? null
                : routes(cache.shard()).pick(cache.module(), now);
    }

    /** All hosts from the saved routes; none if the shard is not down, or they do not have the module. */
    List<Host> route(ModuleCache cache, double now) {
        return cache.shard().isAlive() || saved.isEmpty()
                ? List.of()
                : routes(cache.shard()).route(cache.module(), now);
    }

    private SavedRoutes routes(Shard shard) {
        SavedRoutes routes = saved.get(shard.number());
        if (followsAgent && !shard.stateDir().isEmpty()) {
            routes.move(shard.stateDir());
        }
        return routes;
    }

    /** Whether a shard that was down has answered the last probe; sends the next one when it is due. */
    synchronized boolean answersAgain(ModuleCache cache, double now) {
        Shard shard = cache.shard();
        Probe last = probes[shard.number()];
        try {
            if (last != null && last.isAnswered()) {
                drop(shard.number());
                return true;
            }
            if (!closed && shard.isDue(now)) {
                drop(shard.number());
                probes[shard.number()] = new Probe(shard.peer(), cache.question(0, 0, now));
            }
        } catch (IOException refused) { // it is still down
            return false;
        }
        return false;
    }

    private void drop(int shard) {
        if (probes[shard] != null) {
            probes[shard].close();
            probes[shard] = null;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        for (int shard = 0; shard < probes.length; shard++) {
            drop(shard);
        }
    }
}

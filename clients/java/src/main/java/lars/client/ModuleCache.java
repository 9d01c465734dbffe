package lars.client;

import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import lars.Lars.HostInfo;
import lars.Lars.ReportBatch;
import lars.Lars.RouteStateResponse;

/**
 * What a client caches of one module: the hosts to choose from, its own evidence, and the successes not yet sent.
 *
 * <p>{@code now} is in seconds. Threads may share it: each method holds the object's lock, also while it sends,
 * so that results reach the agent in their order. The rules are those of docs/design/client.md, the cache.
 */
final class ModuleCache {
    private static final String HASHED = "consistent_hash";
    private static final int MAX_HASHED_HOSTS = 100; // the table of a larger module takes long to make
    private static final int DEFAULT_WEIGHT = 100;
    private static final double WATCH_TTLS = 3;
    private static final double NEVER = Double.NEGATIVE_INFINITY;

    /** Sends a datagram that gets no answer; throws UncheckedIOException, IllegalStateException after close. */
    interface Sending extends Consumer<byte[]> {}

    private final ModuleId module;
    private final Shard shard;
    private final Sending sending;
    private final RandomGenerator random = new SplittableRandom();
    private final Successes successes = new Successes();
    private double ttl;
    private LocalChoice choice; // null until there is a state
    private String policy = ""; // of the agent; empty: an older agent, or one that is asked for each host
    private boolean chooses; // whether hosts of that state may be chosen here
    private long version;
    private double until = NEVER; // when the agent must be asked again
    private double askStateAt = NEVER;
    private double watchAt = NEVER;
    private int turn; // changes with each query for the state: an answer to an older one is stale
    private double awaitedUntil = Double.NaN;

    /** With a ttl of 0 seconds nothing is cached. */
    ModuleCache(ModuleId module, Shard shard, double ttl, Sending sending) {
        this.module = module;
        this.shard = shard;
        this.ttl = ttl;
        this.sending = sending;
    }

    ModuleId module() {
        return module;
    }

    Shard shard() {
        return shard;
    }

    // -- the first hosts

    /** Until when questions wait for the module's first hosts; in the past once there has been one. */
    synchronized double awaitedUntil(double now, double firstWait) {
        if (Double.isNaN(awaitedUntil)) {
            awaitedUntil = now + firstWait;
        }
        return awaitedUntil;
    }

    /** The agent has named a host of the module. */
    synchronized void hasHosts() {
        awaitedUntil = NEVER;
    }

    // -- choosing

    /** The host for a call about {@code key}, 0 for none; null if the agent must be asked. */
    synchronized Host choose(long key, double now) {
        if (now >= until || choice == null || key != 0 && policy.isEmpty()) {
            return null;
        }
        return chosen(key, now);
    }

    private Host chosen(long key, double now) {
        HostRecord host = choice.pick(key, now);
        if (host == null) {
            throw new OverloadedException(module);
        }
        return host.host;
    }

    /** The query for the next host; once in a ttl it asks for the route state as well. */
    synchronized HostQuestion question(int seq, long key, double now) {
        if (ttl == 0) {
            return new HostQuestion(module, seq, key);
        }
        if (now < askStateAt || !shard.knowsStates(now)) {
            return new HostQuestion(module, seq, key).answered((state, host) -> adopted(host, key, now));
        }
        askStateAt = now + ttl; // concurrent queries need not
        int asked = ++turn;
        return new HostQuestion(module, seq, key).withState(version).answered((state, host) -> {
            learn(state, now, asked);
            return adopted(host, key, now);
        });
    }

    /** The host to call where the agent has chosen {@code host}: this one, unless this process has ejected it. */
    private synchronized Host adopted(Host host, long key, double now) {
        HostRecord known = choice == null || host == null ? null : choice.host(host.address());
        return known == null || choice.adopt(known) ? host : chosen(key, now);
    }

    private synchronized void learn(RouteStateResponse state, double askedAt, int asked) {
        if (state == null) {
            until = NEVER;
            shard.statesUnsupported(askedAt);
            return;
        }
        if (!state.getStateDir().isEmpty()) {
            shard.savesIn(state.getStateDir());
        }
        if (asked != turn || ttl == 0) {
            return;
        }
        if (state.getVersion() != version || state.getVersion() == 0) {
            take(state);
        }
        until = chooses ? askedAt + ttl : NEVER;
        Map<InetSocketAddress, Double> penalties = new HashMap<>();
        state.getSlowList()
                .forEach(slow -> penalties.put(
                        new InetSocketAddress(Ip.of(slow.getIp()), port(slow.getPort())), (double) slow.getPenalty()));
        choice.slowElsewhere(penalties);
    }

    private static int port(int number) {
        return number >= 0 && number <= 0xffff ? number : 0;
    }

    /** Replaces policy and hosts by those of a state. */
    private void take(RouteStateResponse state) {
        version = state.getVersion();
        String name = state.getPolicy();
        chooses = state.getIdleCount() > 0;
        boolean probesWithEachCall = state.getOverloadedCount() > 0 && name.isEmpty(); // as an older agent does
        if (state.getAsk() || probesWithEachCall || name.equals(HASHED) && state.getIdleCount() > MAX_HASHED_HOSTS) {
            chooses = false;
            name = "";
        }
        if (choice == null || !name.equals(policy)) {
            policy = name;
            choice = new LocalChoice(Policy.of(name, random));
        }
        choice.rebuild(hosts(state));
    }

    private List<HostRecord> hosts(RouteStateResponse state) {
        List<Integer> weights = state.getIdleWeightList();
        boolean given = weights.size() == state.getIdleCount() && weights.stream().anyMatch(weight -> weight != 0);
        List<HostRecord> hosts = new ArrayList<>();
        for (int at = 0; at < state.getIdleCount(); at++) {
            HostRecord host = record(state.getIdle(at));
            if (host != null) {
                HostRecord joined = host.agentProbes ? new HostRecord(host.host) : host; // restored: a slow start
                joined.assigned = given ? Math.max(0, weights.get(at)) : DEFAULT_WEIGHT;
                hosts.add(joined);
            }
        }
        for (HostInfo info : state.getOverloadedList()) {
            HostRecord host = record(info);
            if (host != null) {
                host.assigned = 0;
                host.agentProbes = true;
                hosts.add(host);
            }
        }
        return hosts;
    }

    /** The known or a new record of a host; null for one that cannot exist. */
    private HostRecord record(HostInfo info) {
        Host host = RouteQuestion.host(module, info);
        HostRecord known = host == null ? null : choice.host(host.address());
        return known != null || host == null ? known : new HostRecord(host);
    }

    // -- results

    /**
     * Takes a call's result, of {@code cost} seconds, NaN where unknown, and sends what is to be sent at once.
     *
     * <p>A failure goes out at once, and so does the result of a call whose host the agent chose, both after the
     * successes that were gathered before. Other successes are gathered.
     */
    synchronized void report(Host host, int retcode, double cost, double now) {
        boolean failed = retcode != 0;
        HostRecord known = choice == null ? null : choice.host(host.address());
        if (known != null) {
            boolean alone = choice.report(known, failed, cost);
            if (!alone) {
                successes.add(known.gathered, cost);
                if (now >= until || successes.areMany() || choice.hasSilent()) {
                    batches(now).forEach(sending);
                }
                return;
            }
        }
        if (failed && (choice == null || choice.agentEjects())) { // it may have ejected the host
            turn++;
            until = NEVER;
            askStateAt = NEVER;
        }
        batches(now).forEach(sending);
        if (failed) {
            successes.failed();
        }
        sending.accept(Report.encode(host, retcode, cost));
    }

    /**
     * The datagrams of the gathered successes and the silent hosts. Once in a ttl there is one at least, by which the
     * process goes on watching the module.
     */
    private List<byte[]> batches(double now) {
        if (choice == null) {
            return List.of();
        }
        double watch = ttl > 0 && now >= watchAt ? WATCH_TTLS * ttl : 0;
        if (watch > 0) {
            watchAt = now + ttl;
        }
        if (watch == 0 && !choice.hasSilent() && successes.isEmpty()) {
            return List.of();
        }
        return Batch.encode(module, successes.take(), choice.takeSilent(), watch);
    }

    /** Sends what {@link #batches} gives. */
    synchronized void flush(double now) {
        batches(now).forEach(this::sendIfPossible);
    }

    /** Sends the successes whose ttl has passed: no call has asked the agent since. */
    synchronized void flushOverdue(double now) {
        if (now >= until && !successes.isEmpty()) {
            flush(now);
        }
    }

    /** Sends all gathered successes: the process ends. */
    synchronized void flush() {
        flush(NEVER);
    }

    /** Sends what was gathered, and turns the cache off. */
    synchronized void end() {
        ttl = 0;
        until = NEVER;
        flush();
    }

    private void sendIfPossible(byte[] datagram) {
        try {
            sending.accept(datagram);
        } catch (UncheckedIOException | IllegalStateException error) {
            return; // if the agent is down, the next question notices
        }
    }

    // -- notices of the agent

    /** Takes the failure of a call that another process has made, and sends what was gathered before it. */
    synchronized void failedElsewhere(Host host, double cost) {
        HostRecord known = choice == null ? null : choice.host(host.address());
        if (known != null) {
            choice.failedElsewhere(known, cost);
            Batch.beforeFailure(module, successes.take()).forEach(this::sendIfPossible);
        }
    }

    /** Takes the hosts that have not answered another process for much longer than calls take. */
    synchronized void silentElsewhere(ReportBatch batch) {
        for (HostInfo info : batch.getSilentList()) {
            HostRecord known = choice == null ? null : record(info);
            if (known != null) {
                choice.silentElsewhere(known);
            }
        }
    }

    /** Takes a state that the agent has sent by itself: a host was ejected or restored. */
    synchronized void changed(RouteStateResponse state, double now) {
        if (ttl == 0 || choice == null || state.getVersion() == 0 || state.getVersion() == version) {
            return;
        }
        take(state);
        turn++; // a query under way may still bring the state of before
        if (!chooses) {
            until = NEVER;
        } else if (now >= until) {
            until = now + ttl;
        }
    }
}

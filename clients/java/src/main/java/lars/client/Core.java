package lars.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import lars.Lars.ReportBatch;
import lars.Lars.ReportRequest;
import lars.Lars.RouteStateResponse;

/** What a client keeps between calls, and its exchanges with the agent; safe for threads. */
final class Core implements AutoCloseable {
    private final Duration timeout;
    private final double cacheTtl;
    private final double firstWait;
    private final List<Shard> shards;
    private final List<Links> links;
    private final List<Sender> senders;
    private final Fallback fallback;
    private final Background background = new Background(this);
    private final Map<ModuleId, ModuleCache> modules = new ConcurrentHashMap<>();
    private volatile boolean closed;

    Core(ClientSettings settings, Lookup.Resolver resolver) {
        AgentAddress address = AgentAddress.parse(settings.agent());
        timeout = settings.timeout();
        cacheTtl = Clock.seconds(settings.cacheTtl());
        firstWait = Clock.seconds(settings.firstWait());
        shards = IntStream.range(0, AgentAddress.SHARDS)
                .mapToObj(number -> new Shard(number, address.shard(number)))
                .toList();
        links = shards.stream().map(Links::new).toList();
        senders = shards.stream().map(Sender::new).toList();
        fallback = new Fallback(
                settings.folder(address),
                settings.followsAgent(),
                new Lookup(address.name(), shards, resolver));
    }

    boolean agentIsAlive() {
        return shards.stream().allMatch(Shard::isAlive);
    }

    List<Sender> senders() {
        return senders;
    }

    ModuleCache module(int modid, int cmdid) {
        ModuleId module = new ModuleId(modid, cmdid);
        ModuleCache cache = modules.get(module);
        return cache != null
                ? cache
                : modules.computeIfAbsent(module, this::newCache);
    }

    private ModuleCache newCache(ModuleId module) {
        int shard = AgentAddress.shardOf(module);
        return new ModuleCache(module, shards.get(shard), cacheTtl, senders.get(shard)::send);
    }

    /** As {@link #ask}; the first questions about a module wait for its hosts. */
    Host firstHost(ModuleCache cache, long key, double now) {
        try {
            return ask(cache, key, now);
        } catch (NoSuchModuleException none) {
            NoSuchModuleException refusal = none;
            Pauses pauses = firstPauses(cache);
            while (pauses.sleptUninterrupted()) {
                try {
                    return ask(cache, key, Clock.now());
                } catch (NoSuchModuleException still) {
                    refusal = still;
                }
            }
            throw refusal;
        }
    }

    /** As {@link #route}; the first questions about a module wait for its hosts. */
    List<Host> firstRoute(ModuleCache cache) {
        List<Host> route = route(cache);
        if (route.isEmpty()) {
            Pauses pauses = firstPauses(cache);
            while (route.isEmpty() && pauses.sleptUninterrupted()) {
                route = route(cache);
            }
        }
        return route;
    }

    private Pauses firstPauses(ModuleCache cache) {
        return new Pauses(cache.awaitedUntil(Clock.now(), firstWait));
    }

    /** The host that the agent chooses now, or one of its saved routes while it is down. */
    private Host ask(ModuleCache cache, long key, double now) {
        requireOpen();
        Shard shard = cache.shard();
        if (!shard.isAlive()) {
            Host saved = fallback.host(cache, now);
            if (saved != null && !fallback.answersAgain(cache, now)) {
                return saved;
            }
        }
        AgentUnavailableException refusal;
        try {
            Host host = asked(cache, key, now);
            if (host != null) {
                fallback.answered(shard);
                cache.hasHosts();
                return host;
            }
            refusal = AgentUnavailableException.silent(shard.peer(), timeout);
        } catch (IOException error) {
            refusal = AgentUnavailableException.unreachable(shard.peer(), error);
        } catch (LarsException answer) {
            fallback.answered(shard);
            throw answer;
        }
        fallback.unanswered(shard, refusal, now);
        Host saved = fallback.host(cache, now);
        if (saved == null) {
            throw refusal;
        }
        return saved;
    }

    private Host asked(ModuleCache cache, long key, double now) throws IOException {
        Links pool = links.get(cache.shard().number());
        Link link = pool.take();
        try {
            if (cacheTtl > 0) {
                background.start();
                cache.flush(now);
            }
            return link.ask(cache.question(link.nextSeq(), key, now), timeout);
        } finally {
            pool.putBack(link);
        }
    }

    /** All hosts of the module that the agent knows, or those of its saved routes while it is down. */
    List<Host> route(ModuleCache cache) {
        requireOpen();
        Shard shard = cache.shard();
        AgentUnavailableException refusal;
        try (Link link = links.get(shard.number()).fresh()) { // the message has no seq
            List<Host> route = link.ask(new RouteQuestion(cache.module()), timeout);
            if (route != null) {
                fallback.answered(shard);
                if (!route.isEmpty()) {
                    cache.hasHosts();
                }
                return route;
            }
            refusal = AgentUnavailableException.silent(shard.peer(), timeout);
        } catch (IOException error) {
            refusal = AgentUnavailableException.unreachable(shard.peer(), error);
        }
        double now = Clock.now();
        fallback.unanswered(shard, refusal, now);
        List<Host> saved = fallback.route(cache, now);
        if (saved.isEmpty()) {
            throw refusal;
        }
        return saved;
    }

    /** Takes a call's result, of {@code cost} seconds, NaN where unknown. */
    void report(Host host, int retcode, double cost) {
        requireOpen();
        ModuleCache cache = module(host.modid(), host.cmdid());
        try {
            cache.report(host, retcode, cost, Clock.now());
        } catch (UncheckedIOException error) {
            if (cache.shard().isAlive()) {
                throw AgentUnavailableException.unreachable(cache.shard().peer(), error.getCause());
            }
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("this LarsClient is closed: make a new one");
        }
    }

    /** Sends all gathered successes. */
    void flush() {
        modules.values().forEach(ModuleCache::flush);
    }

    /** Sends the gathered successes of the modules whose ttl has passed. */
    void flushOverdue() {
        double now = Clock.now();
        modules.values().forEach(cache -> cache.flushOverdue(now));
    }

    /** Takes what the agent has sent by itself from a shard (docs/design/client.md, what other processes know). */
    void notice(ByteBuffer datagram) {
        ReportRequest failure = Frame.decode(Frame.REPORT, datagram, ReportRequest.parser());
        if (failure != null && failure.getRetcode() != 0) {
            ModuleCache cache = known(failure.getModid(), failure.getCmdid());
            Host host = cache == null ? null : RouteQuestion.host(cache.module(), failure.getHost());
            if (host != null) {
                double cost = Integer.toUnsignedLong(failure.getCostMs()) / 1e3;
                cache.failedElsewhere(host, cost);
            }
        }
        ReportBatch batch = Frame.decode(Frame.REPORT_BATCH, datagram, ReportBatch.parser());
        ModuleCache silent = batch == null ? null : known(batch.getModid(), batch.getCmdid());
        if (silent != null) {
            silent.silentElsewhere(batch);
        }
        RouteStateResponse state = Frame.decode(Frame.STATE_ANSWER, datagram, RouteStateResponse.parser());
        ModuleCache changed = state == null ? null : known(state.getModid(), state.getCmdid());
        if (changed != null) {
            changed.changed(state, Clock.now());
        }
    }

    private ModuleCache known(int modid, int cmdid) {
        return modid < 0 || cmdid < 0 || modid + cmdid == 0 ? null : modules.get(new ModuleId(modid, cmdid));
    }

    @Override
    public void close() {
        modules.values().forEach(ModuleCache::end);
        closed = true;
        background.close();
        links.forEach(Links::close);
        senders.forEach(Sender::close);
        fallback.close();
    }
}

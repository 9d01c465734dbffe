package lars.client;

import java.io.IOException;
import java.net.PortUnreachableException;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Asks this machine's agent which host to call, and reports how the call went.
 *
 * <p>Threads may share a client: each call in flight has a UDP socket of its own, from a small pool. It starts no
 * thread. No call blocks longer than its timeout. Every method may throw {@link AgentUnavailableException}, {@link
 * IllegalArgumentException} for ids that no module can have, and {@link IllegalStateException} once it is closed.
 */
public final class LarsClient implements AutoCloseable {
    /** The default timeout of a call. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofMillis(200);

    /** The default timeout of register. */
    public static final Duration DEFAULT_REGISTER_TIMEOUT = Duration.ofSeconds(1);

    private static final long FIRST_PAUSE = 10;
    private static final long LONGEST_PAUSE = 100;

    private final Duration timeout;
    private final List<Links> shards;

    /**
     * A call to a host that returns a result.
     *
     * @param <T> the result
     * @param <E> what it may throw
     */
    @FunctionalInterface
    public interface Call<T, E extends Exception> {
        /**
         * Calls the host.
         *
         * @param host the host to call
         * @return the result
         * @throws E if the call failed
         */
        T call(Host host) throws E;
    }

    /**
     * A call to a host without a result.
     *
     * @param <E> what it may throw
     */
    @FunctionalInterface
    public interface Action<E extends Exception> {
        /**
         * Calls the host.
         *
         * @param host the host to call
         * @throws E if the call failed
         */
        void run(Host host) throws E;
    }

    /** A client of the environment's LARS_AGENT, else of 127.0.0.1:8888. */
    public LarsClient() {
        this(defaultAgent());
    }

    /**
     * A client of one agent.
     *
     * @param agent "IP:BASEPORT" or "NAME:BASEPORT": the first of the three ports, in a row, that the agent's shards
     *     listen on
     */
    public LarsClient(String agent) {
        this(agent, DEFAULT_TIMEOUT);
    }

    /**
     * A client of one agent, with a timeout.
     *
     * @param agent "IP:BASEPORT" or "NAME:BASEPORT": the first of the three ports, in a row, that the agent's shards
     *     listen on
     * @param timeout the time until a call fails; after half of it an unanswered query is sent once more
     * @throws IllegalArgumentException if these are out of range
     */
    public LarsClient(String agent, Duration timeout) {
        if (timeout.isZero() || timeout.isNegative() || timeout.compareTo(Duration.ofDays(1)) >= 0) {
            throw new IllegalArgumentException(
                    "timeout %s cannot be used: give a time above 0 and below a day".formatted(timeout));
        }
        Agent place = new Agent(agent);
        this.timeout = timeout;
        this.shards = IntStream.range(0, AgentAddress.SHARDS)
                .mapToObj(number -> new Links(place, number))
                .toList();
    }

    /**
     * The default address of the agent.
     *
     * @return the environment's LARS_AGENT, else "127.0.0.1:8888"
     * @throws IllegalArgumentException if LARS_AGENT is no address, or a name without one
     */
    public static String defaultAgent() {
        return AgentAddress.ofEnvironment(System.getenv("LARS_AGENT"));
    }

    /**
     * The host to call now.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @return the host
     * @throws NoSuchModuleException if the agent knows no host of the module
     * @throws OverloadedException if every host is ejected for its failures
     */
    public Host getHost(int modid, int cmdid) {
        ModuleId module = new ModuleId(modid, cmdid);
        Links links = links(module);
        return withLink(links, link -> ask(links, link, new HostQuestion(module, link.nextSeq())));
    }

    /**
     * All hosts of the module; none if the agent knows none, or has not pulled them yet: see register.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @return the hosts, maybe none
     */
    public List<Host> getRoute(int modid, int cmdid) {
        ModuleId module = new ModuleId(modid, cmdid);
        Links links = links(module);
        try (Link link = links.fresh(RouteQuestion.ROOM)) {
            return ask(links, link, new RouteQuestion(module));
        } catch (IOException error) {
            links.unanswered();
            throw AgentUnavailableException.unreachable(links.shard(), error);
        }
    }

    /**
     * Reports that the call to a host succeeded.
     *
     * @param host the host that was called
     */
    public void report(Host host) {
        report(host, 0, null);
    }

    /**
     * Reports how the call to a host went.
     *
     * @param host the host that was called
     * @param retcode 0 for success; any other number is a failure
     */
    public void report(Host host, int retcode) {
        report(host, retcode, null);
    }

    /**
     * Reports how the call to a host went; sent once, and not acknowledged.
     *
     * @param host the host that was called
     * @param retcode 0 for success; any other number is a failure
     * @param cost the time that the call took, so that a host that times out is ejected sooner; or null
     */
    public void report(Host host, int retcode, Duration cost) {
        byte[] datagram = Report.encode(host, retcode, cost);
        withLink(links(host.module()), link -> {
            try {
                link.send(datagram);
            } catch (PortUnreachableException ofEarlierOne) { // and this one was not sent
                link.send(datagram);
            }
            return null;
        });
    }

    /**
     * Waits until the agent has the module's hosts, which it pulls on the first request for a module.
     *
     * <p>Call it once at start, so that the first getHost is not refused.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @throws NoSuchModuleException if the agent has none after a second
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public void register(int modid, int cmdid) throws InterruptedException {
        register(modid, cmdid, DEFAULT_REGISTER_TIMEOUT);
    }

    /**
     * Like the other register, with a timeout.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @param timeout the time until it fails, plus that of one call
     * @throws NoSuchModuleException if the agent has none by then
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public void register(int modid, int cmdid, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        for (long pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
            LarsException refusal;
            try {
                if (!getRoute(modid, cmdid).isEmpty()) {
                    return;
                }
                refusal = new NoSuchModuleException(new ModuleId(modid, cmdid));
            } catch (AgentUnavailableException error) {
                refusal = error;
            }
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw refusal;
            }
            Thread.sleep(Math.min(pause, left));
        }
    }

    /**
     * Calls a host and reports the result, with the time it took: as failed if an exception ends it.
     *
     * <p>If the call may throw two kinds of checked exceptions, Java infers their common supertype for E.
     *
     * <p>An {@link InterruptedException} and an {@link Error} report nothing.
     *
     * @param <T> the call's result
     * @param <E> what the call may throw
     * @param modid the module's business
     * @param cmdid the module's function
     * @param call what to do with the host
     * @return the call's result
     * @throws E what the call threw
     * @throws NoSuchModuleException if the agent knows no host of the module
     * @throws OverloadedException if every host is ejected for its failures
     */
    public <T, E extends Exception> T call(int modid, int cmdid, Call<T, E> call) throws E {
        return call(modid, cmdid, call, result -> false);
    }

    /**
     * Like {@link #call(int, int, Call)}, for calls whose result may say that they failed, such as an HTTP 500.
     *
     * @param <T> the call's result
     * @param <E> what the call may throw
     * @param modid the module's business
     * @param cmdid the module's function
     * @param call what to do with the host
     * @param failed whether a result is reported as a failure
     * @return the call's result, also of one that is reported as a failure
     * @throws E what the call threw
     * @throws NoSuchModuleException if the agent knows no host of the module
     * @throws OverloadedException if every host is ejected for its failures
     */
    public <T, E extends Exception> T call(int modid, int cmdid, Call<T, E> call, Predicate<? super T> failed)
            throws E {
        Host host = getHost(modid, cmdid);
        long began = System.nanoTime();
        T result;
        boolean isFailure;
        try {
            result = call.call(host);
            isFailure = failed.test(result);
        } catch (Exception failure) {
            if (!(failure instanceof InterruptedException)) {
                reportIfPossible(host, 1, began);
            }
            throw failure;
        }
        reportIfPossible(host, isFailure ? 1 : 0, began);
        return result;
    }

    /**
     * Like {@link #call}, without a result.
     *
     * @param <E> what the call may throw
     * @param modid the module's business
     * @param cmdid the module's function
     * @param action what to do with the host
     * @throws E what the action threw
     */
    public <E extends Exception> void run(int modid, int cmdid, Action<E> action) throws E {
        this.<Void, E>call(modid, cmdid, host -> {
            action.run(host);
            return null;
        });
    }

    /** Closes the sockets; those in use are closed when their calls end. */
    @Override
    public void close() {
        shards.forEach(Links::close);
    }

    private void reportIfPossible(Host host, int retcode, long began) {
        try {
            report(host, retcode, Duration.ofNanos(System.nanoTime() - began));
        } catch (AgentUnavailableException | IllegalStateException error) {
            return; // the caller must see the outcome of its own call
        }
    }

    private Links links(ModuleId module) {
        return shards.get(AgentAddress.shardOf(module));
    }

    @FunctionalInterface
    private interface LinkUse<T> {
        T with(Link link) throws IOException;
    }

    private static <T> T withLink(Links links, LinkUse<T> use) {
        try {
            Link link = links.take();
            try {
                return use.with(link);
            } finally {
                links.putBack(link);
            }
        } catch (IOException error) {
            links.unanswered();
            throw AgentUnavailableException.unreachable(links.shard(), error);
        }
    }

    /** The answer to a question, which is sent again after half of the timeout. */
    private <T> T ask(Links links, Link link, Question<T> question) throws IOException {
        byte[] request = question.request(); // the first takes long, while the messages' classes are loaded
        long deadline = System.nanoTime() + timeout.toNanos();
        PortUnreachableException refused = null;
        for (long until : new long[] {deadline - timeout.toNanos() / 2, deadline}) {
            try {
                refused = null;
                T answer = link.ask(request, question, until);
                if (answer != null) {
                    return answer;
                }
            } catch (PortUnreachableException error) { // maybe of an earlier datagram: worth the second attempt
                refused = error;
            }
        }
        if (refused != null) {
            throw refused;
        }
        links.unanswered();
        throw AgentUnavailableException.silent(link.shard(), timeout);
    }
}

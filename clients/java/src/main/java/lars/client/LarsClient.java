package lars.client;

import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;

/**
 * Asks this machine's agent which host to call, and reports how the call went.
 *
 * <p>Threads may share a client, and should: it chooses by itself, by the policy of the module and what the agent says
 * of each host, which it asks for every cacheTtl, and gathers successes, so that most calls make no system call. A
 * daemon thread sends these in pauses, and takes what the agent knows of other processes' failures. While the agent is
 * down, hosts come from the routes that it saved.
 *
 * <p>No question to the agent takes longer than the timeout. Every method may throw {@link AgentUnavailableException},
 * {@link IllegalArgumentException} for ids that no module can have, and {@link IllegalStateException} once the client
 * is closed.
 */
public final class LarsClient implements AutoCloseable {
    /** The default timeout of a question. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofMillis(200);

    /** The default timeout of ready and register. */
    public static final Duration DEFAULT_REGISTER_TIMEOUT = Duration.ofSeconds(1);

    static final Duration DEFAULT_CACHE_TTL = Duration.ofSeconds(1);
    static final Duration DEFAULT_FIRST_WAIT = Duration.ofSeconds(1);
    static final String STATE_DIR_VARIABLE = "LARS_STATE_DIR";

    private final Core core;

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

    /** A client with the default settings: of the environment's LARS_AGENT, else of 127.0.0.1:8888. */
    public LarsClient() {
        this(ClientSettings.defaults());
    }

    /**
     * A client of one agent.
     *
     * @param agent "IP:BASEPORT" or "NAME:BASEPORT"
     */
    public LarsClient(String agent) {
        this(agent, DEFAULT_TIMEOUT);
    }

    /**
     * A client of one agent, with a timeout.
     *
     * @param agent "IP:BASEPORT" or "NAME:BASEPORT"
     * @param timeout the time until a question fails; after half of it an unanswered one is sent once more
     * @throws IllegalArgumentException if these are out of range
     */
    public LarsClient(String agent, Duration timeout) {
        this(new ClientSettings(
                agent, timeout, DEFAULT_CACHE_TTL, System.getenv(STATE_DIR_VARIABLE), DEFAULT_FIRST_WAIT));
    }

    /**
     * A client with these settings.
     *
     * @param settings the agent, the cache and the waits
     * @throws IllegalArgumentException if the agent's address cannot be used
     */
    public LarsClient(ClientSettings settings) {
        this(settings, AgentAddress::resolve);
    }

    LarsClient(ClientSettings settings, Lookup.Resolver resolver) {
        core = new Core(settings, resolver);
    }

    /**
     * The default address of the agent.
     *
     * @return the environment's LARS_AGENT, else "127.0.0.1:8888"
     * @throws IllegalArgumentException if LARS_AGENT is none
     */
    public static String defaultAgent() {
        return AgentAddress.ofEnvironment(System.getenv("LARS_AGENT"));
    }

    /**
     * Whether the agent answered the last question; true before the first.
     *
     * @return that
     */
    public boolean agentIsAlive() {
        return core.agentIsAlive();
    }

    /**
     * The host to call now.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @return the host
     * @throws NoSuchModuleException if the agent knows no host of the module
     * @throws OverloadedException if the call should not be made
     */
    public Host getHost(int modid, int cmdid) {
        return host(modid, cmdid, 0);
    }

    /**
     * The host to call now, for a call about a key.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @param key what the call is about
     * @return the host
     * @throws NoSuchModuleException if the agent knows no host of the module
     * @throws OverloadedException if the call should not be made
     */
    public Host getHost(int modid, int cmdid, Key key) {
        return host(modid, cmdid, key.number());
    }

    private Host host(int modid, int cmdid, long key) {
        double now = Clock.now();
        ModuleCache cache = core.module(modid, cmdid);
        Host host = cache.choose(key, now);
        return host != null ? host : core.firstHost(cache, key, now);
    }

    /**
     * All hosts of the module; none if the agent knows none.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @return the hosts, maybe none
     */
    public List<Host> getRoute(int modid, int cmdid) {
        return core.firstRoute(core.module(modid, cmdid));
    }

    /**
     * Reports that the call to a host succeeded.
     *
     * @param host the host that was called
     */
    public void report(Host host) {
        core.report(host, 0, Double.NaN);
    }

    /**
     * Reports how the call to a host went.
     *
     * @param host the host that was called
     * @param retcode 0 for success; any other number is a failure
     */
    public void report(Host host, int retcode) {
        core.report(host, retcode, Double.NaN);
    }

    /**
     * Reports how the call to a host went; sent once, and not acknowledged. A failure is sent at once.
     *
     * @param host the host that was called
     * @param retcode 0 for success; any other number is a failure
     * @param cost the time that the call took, so that a host that times out is ejected sooner; or null
     */
    public void report(Host host, int retcode, Duration cost) {
        core.report(host, retcode, cost == null ? Double.NaN : Math.max(0, Clock.seconds(cost)));
    }

    /** With the cost in seconds. */
    void report(Host host, int retcode, double seconds) {
        core.report(host, retcode, seconds);
    }

    /**
     * Waits until the agent has the module's hosts, which it pulls on the first request for a module.
     *
     * <p>For a start that fails where a module has none, or that waits for longer than the first getHost does.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @throws NoSuchModuleException if the agent has none after a second
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public void ready(int modid, int cmdid) throws InterruptedException {
        ready(modid, cmdid, DEFAULT_REGISTER_TIMEOUT);
    }

    /**
     * Like the other ready, with a timeout.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @param timeout the time until it fails, plus that of one question
     * @throws NoSuchModuleException if the agent has none by then
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public void ready(int modid, int cmdid, Duration timeout) throws InterruptedException {
        ModuleCache cache = core.module(modid, cmdid);
        Pauses pauses = new Pauses(Clock.now() + Clock.seconds(timeout));
        LarsException refusal;
        do {
            try {
                if (!core.route(cache).isEmpty()) {
                    return;
                }
                refusal = new NoSuchModuleException(cache.module());
            } catch (AgentUnavailableException error) {
                refusal = error;
            }
        } while (pauses.slept());
        throw refusal;
    }

    /**
     * The name of {@link #ready(int, int)} in the C++ API (reg_init).
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @throws NoSuchModuleException if the agent has none after a second
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public void register(int modid, int cmdid) throws InterruptedException {
        ready(modid, cmdid);
    }

    /**
     * The name of {@link #ready(int, int, Duration)} in the C++ API (reg_init).
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @param timeout the time until it fails, plus that of one question
     * @throws NoSuchModuleException if the agent has none by then
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public void register(int modid, int cmdid, Duration timeout) throws InterruptedException {
        ready(modid, cmdid, timeout);
    }

    /**
     * Calls of a module, for those that {@link #call(int, int, Call)} does not fit: about a key, retried, or with
     * failures of their own.
     *
     * @param modid the module's business
     * @param cmdid the module's function
     * @return what makes them
     */
    public Calls calls(int modid, int cmdid) {
        return new Calls(this, modid, cmdid);
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
     * @throws OverloadedException if the call should not be made
     */
    public <T, E extends Exception> T call(int modid, int cmdid, Call<T, E> call) throws E {
        return calls(modid, cmdid).call(call);
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
     * @throws OverloadedException if the call should not be made
     */
    public <T, E extends Exception> T call(int modid, int cmdid, Call<T, E> call, Predicate<? super T> failed)
            throws E {
        return calls(modid, cmdid).call(call, failed);
    }

    /**
     * Like {@link #call(int, int, Call)}, without a result.
     *
     * @param <E> what the call may throw
     * @param modid the module's business
     * @param cmdid the module's function
     * @param action what to do with the host
     * @throws E what the action threw
     */
    public <E extends Exception> void run(int modid, int cmdid, Action<E> action) throws E {
        calls(modid, cmdid).run(action);
    }

    /** Sends the gathered successes, and closes the sockets; those in use are closed when their questions end. */
    @Override
    public void close() {
        core.close();
    }
}

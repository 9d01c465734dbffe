package lars.client;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;

/**
 * Calls of a module: which key they are about, how often they are tried, and which exceptions are failures.
 *
 * <pre>{@code
 * String page = client.calls(1, 1).key(Key.of("user 17")).attempts(3).call(host -> fetch(host));
 * client.calls(1, 1).run((host, outcome) -> {
 *     if (status(host) >= 500) {
 *         outcome.fail();
 *     }
 * });
 * }</pre>
 *
 * <p>Each is reported with the time it took: as failed if an exception ends it that is a failure of its host, if its
 * {@link Outcome} says so, or its result does. Any other exception, an {@link InterruptedException} and an {@link
 * Error} report nothing. A report that cannot be sent does not hide the outcome of the call. Immutable.
 */
public final class Calls {
    private final LarsClient client;
    private final int modid;
    private final int cmdid;
    private final Key key;
    private final int attempts;
    private final Predicate<? super Exception> failures;

    Calls(LarsClient client, int modid, int cmdid) {
        this(client, modid, cmdid, null, 1, error -> true);
    }

    private Calls(
            LarsClient client, int modid, int cmdid, Key key, int attempts, Predicate<? super Exception> failures) {
        this.client = client;
        this.modid = modid;
        this.cmdid = cmdid;
        this.key = key;
        this.attempts = attempts;
        this.failures = failures;
    }

    /**
     * A call to a host that may mark itself as failed.
     *
     * @param <T> the result
     * @param <E> what it may throw
     */
    @FunctionalInterface
    public interface MarkedCall<T, E extends Exception> {
        /**
         * Calls the host.
         *
         * @param host the host to call
         * @param outcome how it goes
         * @return the result
         * @throws E if the call failed
         */
        T call(Host host, Outcome outcome) throws E;
    }

    /**
     * A call without a result to a host, which may mark itself as failed.
     *
     * @param <E> what it may throw
     */
    @FunctionalInterface
    public interface MarkedAction<E extends Exception> {
        /**
         * Calls the host.
         *
         * @param host the host to call
         * @param outcome how it goes
         * @throws E if the call failed
         */
        void run(Host host, Outcome outcome) throws E;
    }

    /**
     * Calls about a key; it has no effect on the hosts of further attempts.
     *
     * @param key what they are about
     * @return such calls
     */
    public Calls key(Key key) {
        return new Calls(client, modid, cmdid, key, attempts, failures);
    }

    /**
     * Calls that are tried with other hosts, while there are any, until one ends without a failure of its host.
     *
     * @param attempts how often at most, 1 or more
     * @return such calls
     * @throws IllegalArgumentException if that is less than 1
     */
    public Calls attempts(int attempts) {
        if (attempts < 1) {
            throw new IllegalArgumentException("attempts %d is out of range: give 1 or more".formatted(attempts));
        }
        return new Calls(client, modid, cmdid, key, attempts, failures);
    }

    /**
     * Calls of which only some exceptions are failures of their hosts; by default, all are.
     *
     * @param failures whether an exception is one
     * @return such calls
     */
    public Calls failures(Predicate<? super Exception> failures) {
        return new Calls(client, modid, cmdid, key, attempts, failures);
    }

    /**
     * Makes a call.
     *
     * @param <T> the call's result
     * @param <E> what the call may throw
     * @param call what to do with the host
     * @return the call's result
     * @throws E what the last attempt threw
     * @throws NoSuchModuleException if the agent knows no host of the module
     * @throws OverloadedException if the call should not be made
     */
    public <T, E extends Exception> T call(LarsClient.Call<T, E> call) throws E {
        return this.<T, E>call((host, outcome) -> call.call(host));
    }

    /**
     * Makes a call whose result may say that it failed, such as an HTTP 500.
     *
     * @param <T> the call's result
     * @param <E> what the call may throw
     * @param call what to do with the host
     * @param failed whether a result is reported as a failure
     * @return the call's result, also of one that is reported as a failure
     * @throws E what the last attempt threw
     * @throws NoSuchModuleException if the agent knows no host of the module
     * @throws OverloadedException if the call should not be made
     */
    public <T, E extends Exception> T call(LarsClient.Call<T, E> call, Predicate<? super T> failed) throws E {
        return this.<T, E>call((host, outcome) -> {
            T result = call.call(host);
            if (failed.test(result)) {
                outcome.fail();
            }
            return result;
        });
    }

    /**
     * Makes a call that may mark itself as failed.
     *
     * @param <T> the call's result
     * @param <E> what the call may throw
     * @param call what to do with the host
     * @return the call's result, also of one that is reported as a failure
     * @throws E what the last attempt threw
     * @throws NoSuchModuleException if the agent knows no host of the module
     * @throws OverloadedException if the call should not be made
     */
    public <T, E extends Exception> T call(MarkedCall<T, E> call) throws E {
        List<Host> tried = new ArrayList<>(attempts);
        for (int attempt = 1; ; attempt++) {
            Host host = untried(tried);
            tried.add(host);
            Outcome outcome = new Outcome();
            double began = Clock.now();
            T result;
            try {
                result = call.call(host, outcome);
            } catch (Exception error) {
                if (!isFailure(error)) {
                    throw error;
                }
                report(host, outcome.retcode() != 0 ? outcome.retcode() : 1, began);
                if (attempt == attempts) {
                    throw error;
                }
                continue;
            }
            report(host, outcome.retcode(), began);
            if (outcome.retcode() == 0 || attempt == attempts) {
                return result;
            }
        }
    }

    /**
     * Makes a call without a result.
     *
     * @param <E> what the action may throw
     * @param action what to do with the host
     * @throws E what the last attempt threw
     */
    public <E extends Exception> void run(LarsClient.Action<E> action) throws E {
        this.<E>run((host, outcome) -> action.run(host));
    }

    /**
     * Makes a call without a result that may mark itself as failed.
     *
     * @param <E> what the action may throw
     * @param action what to do with the host
     * @throws E what the last attempt threw
     */
    public <E extends Exception> void run(MarkedAction<E> action) throws E {
        this.<Void, E>call((host, outcome) -> {
            action.run(host, outcome);
            return null;
        });
    }

    private boolean isFailure(Exception error) {
        return !(error instanceof InterruptedException) && failures.test(error);
    }

    /** A host that was not tried while there is one: the agent takes turns, but others may get those in between. */
    private Host untried(List<Host> tried) {
        Host host = chosen();
        for (int turn = 0; turn < tried.size() && tried.contains(host); turn++) {
            host = chosen();
        }
        if (!tried.contains(host)) {
            return host;
        }
        List<Host> others = client.getRoute(modid, cmdid).stream()
                .filter(each -> !tried.contains(each))
                .toList();
        return others.isEmpty() ? host : others.get(ThreadLocalRandom.current().nextInt(others.size()));
    }

    private Host chosen() {
        return key == null ? client.getHost(modid, cmdid) : client.getHost(modid, cmdid, key);
    }

    private void report(Host host, int retcode, double began) {
        try {
            client.report(host, retcode, Clock.now() - began);
        } catch (AgentUnavailableException | IllegalStateException error) {
            return; // the caller must see the outcome of its own call
        }
    }
}

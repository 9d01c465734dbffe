package lars.client;

import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Times getHost and the report of a success with its cost, for {@code python -m bench clients}.
 *
 * <p>{@code Cycles AGENT cached|asking CYCLES ROUNDS THREADS} prints the microseconds of a cycle in each round as a
 * JSON list, after rounds that warm up. In a round the threads make so many cycles together.
 */
final class Cycles {
    private static final int WARM_UP = 10;
    private static final Duration COST = Duration.ofMillis(1);

    private Cycles() {}

    public static void main(String[] arguments) throws InterruptedException {
        Duration ttl = arguments[1].equals("cached") ? LarsClient.DEFAULT_CACHE_TTL : Duration.ZERO;
        int cycles = Integer.parseInt(arguments[2]);
        int threads = Integer.parseInt(arguments[4]);
        double[] times = new double[WARM_UP + Integer.parseInt(arguments[3])];
        try (LarsClient client =
                new LarsClient(new ClientSettings(arguments[0], Duration.ofSeconds(5), ttl, "", Duration.ZERO))) {
            client.ready(1, 1, Duration.ofSeconds(30));
            for (int round = 0; round < times.length; round++) {
                times[round] = microseconds(client, cycles, threads);
            }
        }
        System.out.println(Arrays.stream(times)
                .skip(WARM_UP)
                .mapToObj(Double::toString)
                .collect(Collectors.joining(", ", "[", "]")));
    }

    /** Of a cycle, on average. */
    private static double microseconds(LarsClient client, int cycles, int threads) throws InterruptedException {
        Thread[] callers = new Thread[threads];
        Arrays.setAll(callers, number -> new Thread(() -> make(client, cycles / threads)));
        long began = System.nanoTime();
        for (Thread caller : callers) {
            caller.start();
        }
        for (Thread caller : callers) {
            caller.join();
        }
        return (System.nanoTime() - began) / 1e3 / (cycles / threads * threads);
    }

    private static void make(LarsClient client, int cycles) {
        for (int cycle = 0; cycle < cycles; cycle++) {
            client.report(client.getHost(1, 1), 0, COST);
        }
    }
}

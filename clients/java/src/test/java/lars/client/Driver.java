package lars.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;

/**
 * Makes the calls that standard input gives, one per line, and prints their results, for tests with a real agent.
 *
 * <p>The arguments are the milliseconds for which hosts are chosen by one state, by default 0, and the folder of saved
 * routes.
 *
 * <pre>
 * get_host 1 1                          ok 10.0.0.5:8080
 * get_route 1 1                         ok 10.0.0.5:8080 10.0.0.6:8080
 * report 1 1 10.0.0.5:8080 1 0.5        ok                 (the retcode, and the seconds that the call took)
 * register 1 1                          NoSuchModule module (1, 1) has no hosts …
 * call 1 1 ok                           ok 10.0.0.5:8080
 * call 1 1 fail                         failed 10.0.0.5:8080
 * alive                                ok 1               (whether the agent answered the last question)
 * flush                                ok                 (nothing: the client's thread sends what waits)
 * keyed 1 1 user17                     ok 10.0.0.5:8080   (a host for a key)
 * calls 1 1 100 10.0.0.5:8080          ok 97 3            (calls, of which those to that host fail, if it is given)
 * threads 1 1 100                      ok 800 0           (as many in each of eight threads)
 * counted 1 1 8 100 10.0.0.5:8080      ok 10.0.0.5:8080=3 10.0.0.6:8080=797  (the same by host)
 * </pre>
 */
final class Driver {
    private Driver() {}

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        ClientSettings settings = ClientSettings.defaults()
                .withCacheTtl(Duration.ofMillis(arguments.length > 0 ? Long.parseLong(arguments[0]) : 0));
        if (arguments.length > 1) {
            settings = settings.withStateDir(arguments[1]);
        }
        try (LarsClient client = new LarsClient(settings)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(told(client, line.split(" ")));
            }
        }
    }

    private static String told(LarsClient client, String[] words) throws InterruptedException {
        try {
            return "ok " + done(client, words);
        } catch (IOException error) {
            return "failed " + error.getMessage();
        } catch (LarsException error) {
            return error.getClass().getSimpleName().replace("Exception", "") + " " + error.getMessage();
        } catch (IllegalArgumentException error) {
            return "invalid " + error.getMessage();
        }
    }

    private static String done(LarsClient client, String[] words) throws IOException, InterruptedException {
        if (words[0].equals("flush")) {
            return "";
        }
        if (words[0].equals("alive")) {
            return client.agentIsAlive() ? "1" : "0";
        }
        int modid = Integer.parseInt(words[1]);
        int cmdid = Integer.parseInt(words[2]);
        switch (words[0]) {
            case "get_host":
                return client.getHost(modid, cmdid).toString();
            case "get_route":
                return client.getRoute(modid, cmdid).stream().map(Host::toString).collect(Collectors.joining(" "));
            case "report":
                String[] host = words[3].split(":");
                Duration cost = Duration.ofNanos((long) (Double.parseDouble(words[5]) * 1e9));
                int retcode = Integer.parseInt(words[4]);
                client.report(Host.of(modid, cmdid, host[0], Integer.parseInt(host[1])), retcode, cost);
                return "";
            case "register":
                client.register(modid, cmdid);
                return "";
            case "keyed":
                Host keyed = client.getHost(modid, cmdid, Key.of(words[3]));
                client.report(keyed);
                return keyed.toString();
            case "calls":
                return summed(counted(client, modid, cmdid, 1, Integer.parseInt(words[3]), words), words);
            case "threads":
                return summed(counted(client, modid, cmdid, 8, Integer.parseInt(words[3]), words), words);
            case "counted":
                int threads = Integer.parseInt(words[3]);
                return counted(client, modid, cmdid, threads, Integer.parseInt(words[4]), words).entrySet().stream()
                        .map(Object::toString)
                        .collect(Collectors.joining(" "));
            case "call":
                return client.call(modid, cmdid, called -> {
                    if (words[3].equals("fail")) {
                        throw new IOException(called.toString());
                    }
                    return called.toString();
                });
            default:
                throw new IllegalArgumentException("no such call: " + words[0]);
        }
    }

    /** Succeeded and failed calls. */
    private static String summed(Map<String, Integer> called, String[] words) {
        int all = called.values().stream().mapToInt(Integer::intValue).sum();
        int failed = Arrays.stream(words).mapToInt(word -> called.getOrDefault(word, 0)).sum();
        return (all - failed) + " " + failed;
    }

    /** Makes so many calls in each thread, of which those to a host among the words fail; their number by host. */
    private static Map<String, Integer> counted(
            LarsClient client, int modid, int cmdid, int number, int calls, String[] words)
            throws InterruptedException {
        Set<String> failing = new HashSet<>(Arrays.asList(words));
        Map<String, Integer> called = new ConcurrentSkipListMap<>();
        Thread[] threads = new Thread[number];
        Arrays.setAll(threads, at -> new Thread(() -> {
            for (int call = 0; call < calls; call++) {
                client.calls(modid, cmdid).run((host, outcome) -> {
                    called.merge(host.toString(), 1, Integer::sum);
                    if (failing.contains(host.toString())) {
                        outcome.fail();
                    }
                });
            }
        }));
        for (Thread thread : threads) {
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return called;
    }
}

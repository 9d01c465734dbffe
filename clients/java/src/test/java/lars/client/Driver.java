package lars.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.stream.Collectors;

/**
 * Makes the calls that standard input gives, one per line, and prints their results, for tests with a real agent.
 *
 * <pre>
 * get_host 1 1                          ok 10.0.0.5:8080
 * get_route 1 1                         ok 10.0.0.5:8080 10.0.0.6:8080
 * report 1 1 10.0.0.5:8080 1 0.5        ok                 (the retcode, and the seconds that the call took)
 * register 1 1                          NoSuchModule module (1, 1) has no hosts …
 * call 1 1 ok                           ok 10.0.0.5:8080
 * call 1 1 fail                         failed 10.0.0.5:8080
 * </pre>
 */
final class Driver {
    private Driver() {}

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        try (LarsClient client = new LarsClient()) {
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
}

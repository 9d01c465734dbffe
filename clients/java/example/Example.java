import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLConnection;
import java.util.Map;
import java.util.TreeMap;
import lars.client.Host;
import lars.client.LarsClient;
import lars.client.LarsException;

/** A caller: asks its agent for a host of a module, fetches / from it over HTTP, COUNT times. */
final class Example {
    private static final int LIMIT = 1000; // milliseconds

    private final Map<String, Integer> calls = new TreeMap<>();
    private final Map<String, Integer> answered = new TreeMap<>();

    public static void main(String[] arguments) throws InterruptedException {
        if (arguments.length < 2 || arguments.length > 3) {
            System.err.println("usage: java Example MODID CMDID [COUNT]");
            System.exit(2);
        }
        try {
            int count = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 100;
            new Example().run(Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]), count);
        } catch (LarsException error) {
            System.err.println("Example: " + error.getMessage());
            System.exit(1);
        } catch (IllegalArgumentException error) { // not a number, or not a module
            System.err.println("Example: " + error.getMessage());
            System.exit(2);
        }
    }

    private void run(int modid, int cmdid, int count) throws InterruptedException {
        try (LarsClient client = new LarsClient()) {
            client.register(modid, cmdid);
            for (int i = 0; i < count; i++) {
                try {
                    client.run(modid, cmdid, this::fetch);
                } catch (IOException error) {
                    continue; // call has reported it: the agent soon chooses another host
                }
            }
        }
        calls.forEach((host, number) -> System.out.println(
                host + "  " + number + " calls, " + answered.getOrDefault(host, 0) + " answered"));
    }

    private void fetch(Host host) throws IOException {
        calls.merge(host.toString(), 1, Integer::sum);
        URLConnection connection = URI.create("http://" + host + "/").toURL().openConnection();
        connection.setConnectTimeout(LIMIT);
        connection.setReadTimeout(LIMIT);
        try (InputStream body = connection.getInputStream()) { // throws for an answer that is not OK
            body.readAllBytes();
        }
        answered.merge(host.toString(), 1, Integer::sum);
    }
}

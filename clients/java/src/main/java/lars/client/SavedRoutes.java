package lars.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * One shard's file of the routes that the agent saves, read while the agent is down; safe for threads.
 *
 * <p>It is read when first needed, and again when it was replaced (docs/design/client.md, saved routes).
 */
final class SavedRoutes {
    private static final double RECHECK = 1; // seconds between two checks whether the file was replaced
    private static final double FORMAT = 1;

    private record Stamp(Object file, FileTime modified, long size) {}

    private final int shard;
    private String folder;
    private double checkedAt = Double.NEGATIVE_INFINITY;
    private Stamp stamp;
    private Map<ModuleId, List<Host>> routes = Map.of();
    private final Map<ModuleId, Integer> turns = new HashMap<>();

    SavedRoutes(String folder, int shard) {
        this.folder = folder;
        this.shard = shard;
    }

    /** Looks for the file in another folder from now on. */
    synchronized void move(String other) {
        if (!other.equals(folder)) {
            folder = other;
            checkedAt = Double.NEGATIVE_INFINITY;
        }
    }

    /** The module's hosts; none if the file cannot be read or does not have the module. */
    synchronized List<Host> route(ModuleId module, double now) {
        refresh(now);
        return routes.getOrDefault(module, List.of());
    }

    /** The module's next host in turn, or null if there is none. */
    synchronized Host pick(ModuleId module, double now) {
        List<Host> hosts = route(module, now);
        if (hosts.isEmpty()) {
            return null;
        }
        int turn = turns.computeIfAbsent(module, each -> ThreadLocalRandom.current().nextInt(hosts.size()));
        turns.put(module, (turn + 1) % hosts.size());
        return hosts.get(turn);
    }

    private void refresh(double now) {
        if (now - checkedAt < RECHECK) {
            return;
        }
        checkedAt = now;
        try {
            Path path = Path.of(folder, "routes." + shard + ".json");
            BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class);
            Stamp current = new Stamp(found.fileKey(), found.lastModifiedTime(), found.size());
            if (current.equals(stamp)) {
                return;
            }
            routes = decode(Files.readString(path));
            stamp = current;
        } catch (IOException | IllegalArgumentException damaged) {
            routes = Map.of();
            stamp = null;
        }
        turns.clear();
    }

    /** The routes in a file's text; throws IllegalArgumentException if it is none. Drained hosts are left out. */
    static Map<ModuleId, List<Host>> decode(String text) {
        try {
            Map<?, ?> content = (Map<?, ?>) Json.parse(text);
            if (!content.get("format").equals(FORMAT)) {
                throw new IllegalArgumentException("it has another format");
            }
            Map<ModuleId, List<Host>> routes = new HashMap<>();
            for (Object item : (List<?>) content.get("routes")) {
                Map<?, ?> route = (Map<?, ?>) item;
                ModuleId module = new ModuleId(number(route.get("modid")), number(route.get("cmdid")));
                List<Host> hosts = ((List<?>) route.get("hosts"))
                        .stream().map(host -> host(module, (String) host)).toList();
                routes.put(module, hosts);
            }
            return routes;
        } catch (ClassCastException | NullPointerException error) {
            throw new IllegalArgumentException("it is not a file of saved routes", error);
        }
    }

    private static int number(Object value) {
        return ((Double) value).intValue();
    }

    private static Host host(ModuleId module, String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException(text + " is not a host");
        }
        return Host.of(
                module.modid(), module.cmdid(), text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
    }
}

package lars.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The agent's files of saved routes, and the JSON they are. */
final class SavedRoutesTest {
    private static final ModuleId MODULE = new ModuleId(1, 1);
    private static final String TWO = "{\"format\":1,\"routes\":[{\"modid\":1,\"cmdid\":1,\"hosts\":"
            + "[\"10.0.0.5:80\",\"10.0.0.6:81\"],\"drained\":[\"10.0.0.7:80\"],\"weights\":{\"10.0.0.5:80\":50}}]}";

    private static Host host(String ip, int port) {
        return Host.of(1, 1, ip, port);
    }

    private static void write(Path folder, String text) throws IOException {
        Path fresh = folder.resolve("fresh");
        Files.writeString(fresh, text);
        Files.move(fresh, folder.resolve("routes.2.json"), StandardCopyOption.ATOMIC_MOVE);
    }

    @Test
    void hostsTakeTurnsAndDrainedOnesNone() throws Exception {
        Path folder = Files.createTempDirectory("lars-java");
        write(folder, TWO);
        SavedRoutes saved = new SavedRoutes(folder.toString(), 2);
        Check.equal(List.of(host("10.0.0.5", 80), host("10.0.0.6", 81)), saved.route(MODULE, 0));
        List<Host> picked = IntStream.range(0, 4).mapToObj(turn -> saved.pick(MODULE, 0)).toList();
        Check.equal(picked.get(0), picked.get(2));
        Check.equal(picked.get(1), picked.get(3));
        Check.holds(!picked.get(0).equals(picked.get(1)), "turns");
        Check.equal(null, saved.pick(new ModuleId(1, 4), 0));
    }

    @Test
    void fileIsReadAgainWhenItWasReplacedOnceASecond() throws Exception {
        Path folder = Files.createTempDirectory("lars-java");
        SavedRoutes saved = new SavedRoutes(folder.toString(), 2);
        Check.equal(List.of(), saved.route(MODULE, 0));
        write(folder, TWO);
        Check.equal(List.of(), saved.route(MODULE, 0.9));
        Check.equal(2, saved.route(MODULE, 1.0).size());
        write(folder, TWO.replace(",\"10.0.0.6:81\"", ""));
        Check.equal(1, saved.route(MODULE, 2.0).size());
        write(folder, "{");
        Check.equal(List.of(), saved.route(MODULE, 3.0));
    }

    @Test
    void otherFolderIsReadAtOnce() throws Exception {
        Path folder = Files.createTempDirectory("lars-java");
        write(folder, TWO);
        SavedRoutes saved = new SavedRoutes("/nowhere", 2);
        Check.equal(List.of(), saved.route(MODULE, 0));
        saved.move(folder.toString());
        Check.equal(2, saved.route(MODULE, 0).size());
    }

    @Test
    void whatIsNoFileOfSavedRoutesIsRefused() {
        List<String> others = List.of(
                "",
                "[]",
                "{}",
                "{\"format\":2,\"routes\":[]}",
                "{\"format\":1}",
                "{\"format\":1,\"routes\":{}}",
                TWO.replace("10.0.0.5", "host"),
                TWO.replace(":80\"", "\""),
                TWO.replace("\"modid\":1", "\"modid\":-1"),
                TWO.replace("\"hosts\":[", "\"hosts\":[null,"));
        for (String other : others) {
            Check.raises(IllegalArgumentException.class, "", () -> SavedRoutes.decode(other));
        }
        for (int size = 0; size < TWO.length(); size++) {
            String cut = TWO.substring(0, size);
            Check.raises(IllegalArgumentException.class, "", () -> SavedRoutes.decode(cut));
        }
    }

    @Test
    void jsonIsRead() {
        Object value = Json.parse(
                " {\"a\" : [1, -2.5e1, true, false, null, \"\\u00fc\\n\\\"\"], \"b\": {}, \"c\": [ ] } ");
        Map<?, ?> map = (Map<?, ?>) value;
        Check.equal(Arrays.asList(1.0, -25.0, true, false, null, "\u00fc\n\""), map.get("a"));
        Check.equal(Map.of(), map.get("b"));
        Check.equal(List.of(), map.get("c"));
        for (String bad : List.of("", "{", "[1,]", "{\"a\"}", "\"\\x\"", "\"\\u12\"", "1 2", "tru", "[".repeat(100))) {
            Check.raises(IllegalArgumentException.class, "not JSON", () -> Json.parse(bad));
        }
    }
}

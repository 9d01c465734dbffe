package lars.client;

import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import lars.Lars.GetHostRequest;
import lars.Lars.ReportBatch;
import lars.Lars.ReportRequest;
import lars.Lars.RouteStateResponse;

/** The client that chooses by itself, against an agent on a real socket. */
final class CachedClientTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private static ClientSettings settings(String agent) {
        return new ClientSettings(agent, LONG, LONG, "", Duration.ZERO);
    }

    private static LarsClient client(Responder agent) {
        return new LarsClient(settings(agent.agent()));
    }

    private static Responder.Answer serving(int... ports) {
        return Responder.stating(() -> Responder.state("adaptive", ports));
    }

    private static Host host(int port) {
        return Host.of(0, 3, Responder.IP, port);
    }

    /** The successes that come until there are so many. */
    private static long successes(Responder agent, long least) throws InterruptedException {
        long found = 0;
        while (found < least) {
            Responder.Request request = agent.next();
            if (request.message() instanceof ReportBatch batch) {
                found += batch.getResultList().stream().mapToLong(each -> each.getSucc()).sum();
            } else if (request.message() instanceof ReportRequest report && report.getRetcode() == 0) {
                found++;
            }
        }
        return found;
    }

    /** What has come of one kind is passed over until this. */
    private static <T> T awaited(Responder agent, Class<T> kind) throws InterruptedException {
        for (Object message = agent.next().message(); ; message = agent.next().message()) {
            if (kind.isInstance(message)) {
                return kind.cast(message);
            }
        }
    }

    @Test
    void agentIsAskedOnceAndSuccessesWaitForClose() throws Exception {
        try (Responder agent = new Responder(serving(8080, 8081))) {
            try (LarsClient client = client(agent)) {
                Set<Host> called = new HashSet<>();
                for (int call = 0; call < 100; call++) {
                    called.add(client.call(0, 3, host -> host));
                }
                Check.equal(Set.of(host(8080), host(8081)), called);
                agent.next().state();
                agent.next().getHost();
                Check.equal(1L, successes(agent, 1)); // of the host that the agent chose
                Check.equal(true, agent.noneIsLeft());
            }
            Check.equal(99L, successes(agent, 99));
        }
    }

    @Test
    void successesAreSentThoughNoCallFollows() throws Exception {
        try (Responder agent = new Responder(serving(8080));
                LarsClient client = new LarsClient(settings(agent.agent()).withCacheTtl(Duration.ofMillis(50)))) {
            client.run(0, 3, host -> {});
            int more = 0;
            for (; agent.noneIsLeft() || more < 5; more++) {
                client.run(0, 3, host -> {});
            }
            Check.equal((long) more + 1, successes(agent, more + 1));
        }
    }

    @Test
    void failureIsSentAtOnce() throws Exception {
        try (Responder agent = new Responder(serving(8080, 8081));
                LarsClient client = client(agent)) {
            for (int call = 0; call < 10; call++) {
                client.run(0, 3, host -> {});
            }
            client.report(client.getHost(0, 3), 7);
            Check.equal(10L, successes(agent, 10));
            Check.equal(7, awaited(agent, ReportRequest.class).getRetcode());
        }
    }

    @Test
    void eightThreadsCountEachCallOnce() throws Exception {
        try (Responder agent = new Responder(serving(8080, 8081, 8082))) {
            AtomicInteger failed = new AtomicInteger();
            try (LarsClient client =
                    new LarsClient(settings(agent.agent()).withCacheTtl(Duration.ofMillis(20)))) {
                List<Thread> threads = new ArrayList<>();
                for (int number = 0; number < 8; number++) {
                    threads.add(new Thread(() -> {
                        for (int call = 0; call < 5_000; call++) {
                            boolean fails = call == 2_500;
                            failed.addAndGet(fails ? 1 : 0);
                            client.report(client.getHost(0, 3), fails ? 1 : 0);
                        }
                    }));
                }
                threads.forEach(Thread::start);
                for (Thread thread : threads) {
                    thread.join();
                }
            }
            Check.equal(40_000L - failed.get(), successes(agent, 40_000 - failed.get()));
        }
    }

    @Test
    void noticesOfTheAgentAreTaken() throws Exception {
        BlockingQueue<Responder.Request> watching = new LinkedBlockingQueue<>();
        Responder.Answer stating = serving(8080, 8081);
        Responder.Answer noticing = request -> {
            if (request.message() instanceof ReportBatch batch && batch.getWatchMs() > 0) {
                watching.add(request);
                RouteStateResponse.Builder changed = Responder.state("adaptive", 8080)
                        .setVersion(2)
                        .addOverloaded(Responder.info(8081));
                return List.of(Responder.frame(11, changed.build().toByteArray()), new byte[] {1});
            }
            return stating.apply(request);
        };
        try (Responder agent = new Responder(noticing);
                LarsClient client = client(agent)) {
            client.run(0, 3, host -> {});
            Check.holds(watching.poll(20, TimeUnit.SECONDS) != null, "a batch that watches");
            long deadline = System.nanoTime() + LONG.toNanos();
            Set<Host> called;
            do {
                called = new HashSet<>();
                for (int call = 0; call < 10; call++) {
                    called.add(client.call(0, 3, host -> host));
                }
            } while (called.size() > 1 && System.nanoTime() < deadline);
            Check.equal(Set.of(host(8080)), called);
        }
    }

    @Test
    void firstQuestionsWaitForTheHosts() throws Exception {
        AtomicInteger seen = new AtomicInteger();
        Responder.Answer pulling = request -> {
            boolean asked = request.message() instanceof GetHostRequest && seen.incrementAndGet() < 4;
            return asked ? Responder.refusing(3).apply(request) : Responder.serving(8080).apply(request);
        };
        try (Responder agent = new Responder(pulling);
                LarsClient client = new LarsClient(settings(agent.agent()).withFirstWait(LONG))) {
            Check.equal(host(8080), client.getHost(0, 3));
            Check.equal(4, seen.get());
            seen.set(0); // once a module has had a host, it is refused at once
            Check.raises(NoSuchModuleException.class, "module (0, 3)", () -> client.getHost(0, 3));
            Check.equal(1, seen.get());
        }
    }

    @Test
    void waitForTheFirstHostsEndsAndIsNotRepeated() throws Exception {
        AtomicInteger seen = new AtomicInteger();
        Responder.Answer refusing = request -> {
            seen.addAndGet(request.message() instanceof GetHostRequest ? 1 : 0);
            return Responder.refusing(3).apply(request);
        };
        try (Responder agent = new Responder(refusing);
                LarsClient client =
                        new LarsClient(settings(agent.agent()).withFirstWait(Duration.ofMillis(100)))) {
            long began = System.nanoTime();
            Check.raises(NoSuchModuleException.class, "module (0, 3)", () -> client.getHost(0, 3));
            Check.holds(System.nanoTime() - began >= 100_000_000, "it waits");
            int asked = seen.get();
            Check.holds(asked > 1, "it asks again");
            Check.raises(NoSuchModuleException.class, "module (0, 3)", () -> client.getHost(0, 3));
            Check.equal(asked + 1, seen.get());
        }
    }

    @Test
    void interruptedThreadWaitsForNoHostsAndClosesNoSocket() throws Exception {
        try (Responder agent = new Responder(Responder.refusing(3));
                LarsClient client = new LarsClient(settings(agent.agent()).withFirstWait(LONG))) {
            Thread.currentThread().interrupt();
            Check.raises(NoSuchModuleException.class, "module (0, 3)", () -> client.getHost(0, 3));
            Check.equal(true, Thread.interrupted());
            agent.setAnswer(serving(8080));
            Thread.currentThread().interrupt();
            client.report(client.getHost(0, 3), 1);
            Check.equal(true, Thread.interrupted());
            client.report(host(8080), 2);
            Check.equal(1, awaited(agent, ReportRequest.class).getRetcode());
            Check.equal(2, awaited(agent, ReportRequest.class).getRetcode());
        }
    }

    @Test
    void deadAgentsSavedRoutesServeUntilItIsBack() throws Exception {
        Path folder = Files.createTempDirectory("lars-java");
        for (int shard = 0; shard < 3; shard++) {
            Files.writeString(
                    folder.resolve("routes." + shard + ".json"),
                    "{\"format\":1,\"routes\":[{\"modid\":0,\"cmdid\":3,\"hosts\":[\"10.0.0.5:1\",\"10.0.0.5:2\"]}]}");
        }
        List<String> logged = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                logged.add(record.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger.getLogger("lars.client").addHandler(handler);
        int port;
        try (Responder gone = new Responder(Responder::silent)) {
            port = gone.port();
        }
        try (LarsClient client =
                new LarsClient(settings("127.0.0.1:" + port).withStateDir(folder.toString()))) {
            Check.equal(true, client.agentIsAlive());
            Set<Host> called = new HashSet<>();
            for (int call = 0; call < 4; call++) {
                called.add(client.call(0, 3, host -> host));
            }
            Check.equal(Set.of(host(1), host(2)), called);
            Check.equal(2, client.getRoute(0, 3).size());
            Check.equal(false, client.agentIsAlive());
            LarsClient other = new LarsClient(settings("127.0.0.1:" + port).withStateDir(folder.toString()));
            other.getHost(0, 3);
            other.close();
            Check.raises(IllegalStateException.class, "is closed: make a new one", () -> other.getHost(0, 3));
            Check.raises(IllegalStateException.class, "is closed: make a new one", () -> other.getRoute(0, 3));
            Check.raises(AgentUnavailableException.class, "Connection refused", () -> client.getHost(3, 3));
            try (Responder agent = new Responder(serving(8080), port)) {
                long deadline = System.nanoTime() + LONG.toNanos();
                while (!client.getHost(0, 3).equals(host(8080)) && System.nanoTime() < deadline) {
                    Thread.onSpinWait();
                }
                Check.equal(host(8080), client.getHost(0, 3));
                Check.equal(true, client.agentIsAlive());
                awaited(agent, GetHostRequest.class);
            }
        } finally {
            Logger.getLogger("lars.client").removeHandler(handler);
        }
        Check.equal(3, logged.size()); // of the other client, too
        Check.holds(logged.get(0).contains("until it answers, hosts are chosen from its saved routes"), logged.get(0));
        Check.holds(logged.get(2).contains("answers again"), logged.get(2));
    }

    @Test
    void hungAgentIsProbedWithoutAWait() throws Exception {
        Path folder = Files.createTempDirectory("lars-java");
        Files.writeString(
                folder.resolve("routes.0.json"),
                "{\"format\":1,\"routes\":[{\"modid\":0,\"cmdid\":3,\"hosts\":[\"10.0.0.5:1\"]}]}");
        try (Responder agent = new Responder(Responder::silent);
                LarsClient client = new LarsClient(settings(agent.agent())
                        .withTimeout(Duration.ofSeconds(1))
                        .withStateDir(folder.toString()))) {
            Check.equal(host(1), client.getHost(0, 3));
            for (int datagram = 0; datagram < 4; datagram++) {
                agent.next();
            }
            long longest = 0;
            while (agent.noneIsLeft()) { // until the first probe
                long began = System.nanoTime();
                Check.equal(host(1), client.getHost(0, 3));
                longest = Math.max(longest, System.nanoTime() - began);
            }
            Check.holds(longest < 900_000_000, longest + " ns are less than the timeout");
        }
    }

    @Test
    void agentThatHasMovedIsFoundByItsName() throws Exception {
        int port;
        try (Responder gone = new Responder(Responder::silent)) {
            port = gone.port();
        }
        AtomicInteger lookups = new AtomicInteger();
        Lookup.Resolver moving = name -> {
            lookups.incrementAndGet();
            try {
                return InetAddress.getByName("127.0.0.2");
            } catch (IOException error) {
                throw new AssertionError(error);
            }
        };
        try (LarsClient client = new LarsClient(settings("localhost:" + port), moving);
                Responder agent = new Responder(serving(8080), "127.0.0.2", port)) {
            Check.raises(AgentUnavailableException.class, "127.0.0.1:" + port, () -> client.getHost(0, 3));
            long deadline = System.nanoTime() + LONG.toNanos();
            Host found = null;
            while (found == null && System.nanoTime() < deadline) {
                try {
                    found = client.getHost(0, 3);
                } catch (AgentUnavailableException stillThere) {
                    Thread.onSpinWait();
                }
            }
            Check.equal(host(8080), found);
            client.report(found);
            awaited(agent, ReportRequest.class);
            Check.equal(1, lookups.get());
        }
    }

    @Test
    void anotherHostIsTriedAfterAFailure() throws Exception {
        try (Responder agent = new Responder(serving(8080, 8081, 8082));
                LarsClient client = client(agent)) {
            List<Host> tried = new ArrayList<>();
            Host answered = client.calls(0, 3).attempts(3).call(host -> {
                tried.add(host);
                if (tried.size() < 3) {
                    throw new SocketTimeoutException("the call");
                }
                return host;
            });
            Check.equal(3, Set.copyOf(tried).size());
            Check.equal(tried.get(2), answered);
            tried.clear();
            Check.raises(SocketTimeoutException.class, "the call", () -> client.calls(0, 3).attempts(2).run(host -> {
                tried.add(host);
                throw new SocketTimeoutException("the call");
            }));
            Check.equal(2, Set.copyOf(tried).size());
            Check.raises(IllegalArgumentException.class, "attempts 0", () -> client.calls(0, 3).attempts(0));
        }
    }

    @Test
    void callMayMarkItselfAsFailed() throws Exception {
        try (Responder agent = new Responder(serving(8080, 8081));
                LarsClient client = client(agent)) {
            String answer = client.calls(0, 3).call((host, outcome) -> {
                outcome.fail(503);
                return "unavailable";
            });
            Check.equal("unavailable", answer);
            Check.equal(503, awaited(agent, ReportRequest.class).getRetcode());
            AtomicInteger attempts = new AtomicInteger();
            client.calls(0, 3).attempts(5).run((host, outcome) -> {
                if (attempts.incrementAndGet() < 3) {
                    outcome.fail();
                }
            });
            Check.equal(3, attempts.get());
            Check.raises(
                    IllegalArgumentException.class,
                    "retcode 0",
                    () -> client.calls(0, 3).run((host, outcome) -> outcome.fail(0)));
        }
    }

    @Test
    void exceptionThatIsNoFailureReportsNothing() throws Exception {
        try (Responder agent = new Responder(serving(8080, 8081));
                LarsClient client = client(agent)) {
            Calls calls = client.calls(0, 3).attempts(3).failures(error -> error instanceof IOException);
            AtomicInteger made = new AtomicInteger();
            Check.raises(IllegalStateException.class, "the call", () -> calls.run(host -> {
                made.incrementAndGet();
                throw new IllegalStateException("the call");
            }));
            Check.equal(1, made.get());
            Check.raises(IOException.class, "the call", () -> calls.attempts(1).run(host -> {
                throw new IOException("the call");
            }));
            Check.equal(1, awaited(agent, ReportRequest.class).getRetcode());
            Check.equal(true, agent.noneIsLeft());
        }
    }

    @Test
    void keyGoesToTheAgentAndToOneHost() throws Exception {
        try (Responder agent =
                        new Responder(Responder.stating(() -> Responder.state("consistent_hash", 8080, 8081, 8082)));
                LarsClient client = client(agent)) {
            Key key = Key.of("user 17");
            client.report(client.getHost(0, 3, key));
            Check.equal(key.number(), awaited(agent, GetHostRequest.class).getKey());
            Set<Host> called = new HashSet<>();
            for (int call = 0; call < 20; call++) {
                called.add(client.calls(0, 3).key(key).call(host -> host));
            }
            Check.equal(1, called.size());
        }
    }

    @Test
    void timesOutOfRangeAreRefused() {
        for (Duration time : List.of(Duration.ofSeconds(-1), Duration.ofDays(1))) {
            Check.raises(IllegalArgumentException.class, "cacheTtl", () -> settings("127.0.0.1:8888")
                    .withCacheTtl(time));
            Check.raises(IllegalArgumentException.class, "firstWait", () -> settings("127.0.0.1:8888")
                    .withFirstWait(time));
        }
    }
}

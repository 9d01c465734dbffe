package lars.client;

import java.io.File;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import lars.client.Responder.Request;

/** The client against an agent on a real socket that answers, answers wrongly, is slow, or is down. */
final class LarsClientTest {
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration LATE = Duration.ofSeconds(2); // what a busy machine may add
    private static final Class<AgentUnavailableException> UNAVAILABLE = AgentUnavailableException.class;

    private static Host host(int port) {
        return Host.of(0, 3, Responder.IP, port);
    }

    private static LarsClient client(Responder agent) {
        return client(agent.agent(), LONG);
    }

    /** One that asks and reports each time, and waits for no hosts. */
    private static LarsClient client(String agent, Duration timeout) {
        return new LarsClient(new ClientSettings(agent, timeout, Duration.ZERO, "", Duration.ZERO));
    }

    private static Duration timeOf(Check.Code code) throws Exception {
        long began = System.nanoTime();
        code.run();
        return Duration.ofNanos(System.nanoTime() - began);
    }

    private static void within(Duration least, Duration most, Duration took) {
        Check.holds(took.compareTo(least) >= 0 && took.compareTo(most) < 0, took + " from " + least + " to " + most);
    }

    private static int unusedPort() throws IOException {
        try (Responder gone = new Responder(Responder::silent)) {
            return gone.port();
        }
    }

    private static List<byte[]> modidAsPort(Request request) {
        return List.of(Responder.frame(
                Responder.hostResponse(request, request.getHost().getModid())));
    }

    private static long openFiles() {
        return new File("/proc/self/fd").list().length;
    }

    @Test
    void hostThatTheAgentChoseIsReturned() throws Exception {
        try (Responder agent = new Responder(Responder.serving(8080));
                LarsClient client = client(agent)) {
            Check.equal(host(8080), client.getHost(0, 3));
        }
    }

    @Test
    void routeIsAllHostsOrNone() throws Exception {
        try (Responder agent = new Responder(Responder.serving(8080, 8081));
                LarsClient client = client(agent)) {
            Check.equal(List.of(host(8080), host(8081)), client.getRoute(0, 3));
            agent.setAnswer(Responder.serving());
            Check.equal(List.of(), client.getRoute(0, 3));
        }
    }

    @Test
    void eachModuleIsAskedForAtItsShard() throws Exception {
        for (int attempt = 0; attempt < 100; attempt++) {
            try (Responder first = new Responder(Responder.serving(8080));
                    Responder second = new Responder(Responder.serving(8080), first.port() + 1);
                    Responder third = new Responder(Responder.serving(8080), first.port() + 2);
                    LarsClient client = client(first)) {
                Responder[] shards = {first, second, third};
                for (int modid : new int[] {0, 1, 2, 5}) {
                    client.getHost(modid, 3);
                    Check.equal(modid, shards[modid % 3].next().getHost().getModid());
                    client.report(Host.of(modid, 3, Responder.IP, 8080));
                    Check.equal(modid, shards[modid % 3].next().report().getModid());
                }
                return;
            } catch (BindException | IllegalArgumentException taken) {
                continue; // the ports next to the first are taken, or there are none
            }
        }
        throw new AssertionError("no three free ports in a row");
    }

    @Test
    void refusalsAreErrors() throws Exception {
        try (Responder agent = new Responder(Responder.refusing(3));
                LarsClient client = client(agent)) {
            Check.raises(NoSuchModuleException.class, "module (0, 3)", () -> client.getHost(0, 3));
            agent.setAnswer(Responder.refusing(1));
            Check.raises(OverloadedException.class, "module (0, 3)", () -> client.getHost(0, 3));
        }
    }

    @Test
    void garbageAndAnswersToOthersArePassedOver() throws Exception {
        Responder.Answer lying = request -> List.of(
                new byte[0],
                new byte[1],
                new byte[3000],
                Responder.frame(5, new byte[] {-1, -1, -1, -1}),
                Responder.frame(Responder.hostResponse(request, 8081)
                        .setSeq(request.getHost().getSeq() - 1)),
                Responder.frame(
                        Responder.hostResponse(request, 8081).setCmdid(9).setRetcode(3)),
                Responder.frame(Responder.hostResponse(request, 8080)));
        try (Responder agent = new Responder(lying);
                LarsClient client = client(agent)) {
            for (int i = 0; i < 3; i++) {
                Check.equal(host(8080), client.getHost(0, 3));
            }
        }
    }

    @Test
    void datagramsOfOthersArePassedOver() throws Exception {
        try (DatagramSocket stranger = new DatagramSocket(
                        new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
                Responder agent = new Responder(request -> {
                    try {
                        byte[] forged = Responder.frame(Responder.hostResponse(request, 8081));
                        Responder.send(stranger, request.sender(), forged);
                        Thread.sleep(10);
                    } catch (IOException | InterruptedException error) {
                        throw new AssertionError(error);
                    }
                    return List.of(Responder.frame(Responder.hostResponse(request, 8080)));
                });
                LarsClient client = client(agent)) {
            Check.equal(host(8080), client.getHost(0, 3));
        }
    }

    @Test
    void lateAnswerIsNotTakenForThatOfALaterQuestion() throws Exception {
        List<byte[]> late = new ArrayList<>();
        Responder.Answer dawdling = request -> {
            if (late.size() < 2) { // the question, and the same once more
                late.add(Responder.frame(Responder.hostResponse(request, 8081)));
                return List.of();
            }
            return List.of(late.get(0), late.get(1), Responder.frame(Responder.hostResponse(request, 8080)));
        };
        try (Responder agent = new Responder(dawdling);
                LarsClient client = client(agent.agent(), SHORT)) {
            Check.raises(UNAVAILABLE, "no answer", () -> client.getHost(0, 3));
            Check.equal(host(8080), client.getHost(0, 3));
        }
    }

    @Test
    void secondAnswerToGetRouteIsNotTakenForThatOfALaterOne() throws Exception {
        Responder.Answer twice = request -> {
            byte[] answer = Responder.serving(8081).apply(request).get(0);
            return List.of(answer, answer);
        };
        try (Responder agent = new Responder(twice);
                LarsClient client = client(agent)) {
            Check.equal(List.of(host(8081)), client.getRoute(0, 3));
            agent.next();
            agent.setAnswer(Responder.serving(8080));
            Check.equal(List.of(host(8080)), client.getRoute(0, 3));
        }
    }

    @Test
    void lostQuestionIsSentOnceMoreUnchanged() throws Exception {
        AtomicInteger seen = new AtomicInteger();
        Responder.Answer losing = request -> seen.getAndIncrement() == 0
                ? List.of()
                : List.of(Responder.frame(Responder.hostResponse(request, 8080)));
        try (Responder agent = new Responder(losing);
                LarsClient client = client(agent.agent(), SHORT.multipliedBy(10))) {
            Check.equal(host(8080), client.getHost(0, 3));
            Check.equal(agent.next().message(), agent.next().message());
            Check.equal(2, seen.get());
        }
    }

    @Test
    void unansweredQuestionIsSentTwiceAndEndsInTime() throws Exception {
        try (Responder agent = new Responder(Responder::silent);
                LarsClient client = client(agent.agent(), SHORT)) {
            String text = "no answer from the agent at " + agent.agent() + " within 0.1 s: start lars-agent there, or";
            Duration took = timeOf(() -> Check.raises(UNAVAILABLE, text, () -> client.getHost(0, 3)));
            within(SHORT, SHORT.plus(LATE), took);
            Check.equal(agent.next().message(), agent.next().message());
            Check.equal(true, agent.noneIsLeft());
        }
    }

    @Test
    void defaultTimeoutIsAFifthOfASecond() throws Exception {
        try (Responder agent = new Responder(Responder::silent);
                LarsClient client = client(agent.agent(), LarsClient.DEFAULT_TIMEOUT)) {
            Duration took = timeOf(() -> Check.raises(UNAVAILABLE, "within 0.2 s", () -> client.getRoute(0, 3)));
            within(Duration.ofMillis(200), Duration.ofMillis(200).plus(LATE), took);
        }
    }

    @Test
    void floodOfWrongAnswersMakesNoCallLonger() throws Exception {
        Responder.Answer flood = request -> Collections.nCopies(
                10_000, Responder.frame(Responder.hostResponse(request, 8081).setModid(9)));
        try (Responder agent = new Responder(flood);
                LarsClient client = client(agent.agent(), SHORT)) {
            Duration took = timeOf(() -> Check.raises(UNAVAILABLE, "no answer", () -> client.getHost(0, 3)));
            within(SHORT, SHORT.plus(LATE), took);
        }
    }

    @Test
    void nobodyThereIsToldAtOnce() throws Exception {
        String agent = "127.0.0.1:" + unusedPort();
        try (LarsClient client = client(agent, LONG)) {
            String text = "the agent at " + agent + " cannot be reached (Connection refused): start lars-agent there";
            within(Duration.ZERO, LATE, timeOf(() -> Check.raises(UNAVAILABLE, text, () -> client.getHost(0, 3))));
            Check.raises(UNAVAILABLE, text, () -> client.getRoute(0, 3));
        }
    }

    @Test
    void agentThatCameBackAnswersThoughAReportWasRefusedBefore() throws Exception {
        int port = unusedPort();
        try (LarsClient client = client("127.0.0.1:" + port, LONG)) {
            client.report(host(8080));
            try (Responder agent = new Responder(Responder.serving(8080), port)) {
                Check.equal(host(8080), client.getHost(0, 3));
                Check.equal(0, agent.next().getHost().getModid());
            }
        }
    }

    @Test
    void reportAfterARefusedOneIsSent() throws Exception {
        int port = unusedPort();
        try (LarsClient client = client("127.0.0.1:" + port, LONG)) {
            client.report(host(8080));
            try (Responder agent = new Responder(Responder::silent, port)) {
                client.report(host(8081), 5, Duration.ofMillis(12));
                var report = agent.next().report();
                Check.equal(Responder.info(8081), report.getHost());
                Check.equal(5, report.getRetcode());
                Check.equal(12, report.getCostMs());
            }
        }
    }

    @Test
    void registerWaitsUntilTheAgentHasPulledTheRoute() throws Exception {
        AtomicInteger seen = new AtomicInteger();
        Responder.Answer pulling = request -> {
            Responder.Answer answer = seen.incrementAndGet() < 3 ? Responder.serving() : Responder.serving(8080);
            return answer.apply(request);
        };
        try (Responder agent = new Responder(pulling);
                LarsClient client = client(agent)) {
            client.register(0, 3, LONG);
            Check.equal(3, seen.get());
        }
    }

    @Test
    void registerWaitsForAnAgentThatDoesNotAnswerYet() throws Exception {
        AtomicInteger seen = new AtomicInteger();
        Responder.Answer waking = request -> seen.incrementAndGet() < 3
                ? List.of()
                : Responder.serving(8080).apply(request);
        try (Responder agent = new Responder(waking);
                LarsClient client = client(agent.agent(), SHORT)) {
            client.register(0, 3, LONG);
            Check.equal(3, seen.get());
        }
    }

    @Test
    void registerSaysWhatWasInTheWay() throws Exception {
        try (Responder agent = new Responder(Responder.serving());
                LarsClient client = client(agent.agent(), SHORT)) {
            Check.raises(
                    NoSuchModuleException.class, "module (0, 3) has no hosts", () -> client.register(0, 3, SHORT));
            agent.setAnswer(Responder::silent);
            Check.raises(UNAVAILABLE, "no answer", () -> client.register(0, 3, SHORT));
            Check.raises(IllegalArgumentException.class, "modid -1", () -> client.register(-1, 3));
        }
    }

    @Test
    void callThatEndsWellIsReportedWithItsTime() throws Exception {
        try (Responder agent = new Responder(Responder.serving(8080));
                LarsClient client = client(agent)) {
            Host called = client.call(0, 3, host -> {
                Thread.sleep(3);
                return host;
            });
            Check.equal(host(8080), called);
            agent.next();
            var report = agent.next().report();
            Check.equal(0, report.getRetcode());
            Check.equal(3, report.getCmdid());
            Check.equal(Responder.info(8080), report.getHost());
            Check.holds(report.getCostMs() >= 3, "a cost of 3 ms");
        }
    }

    @Test
    void callWhoseResultIsAFailureIsReportedAsFailed() throws Exception {
        try (Responder agent = new Responder(Responder.serving(8080));
                LarsClient client = client(agent)) {
            for (int status : new int[] {200, 500}) {
                int answered = client.call(0, 3, host -> status, result -> result >= 500);
                Check.equal(status, answered);
                agent.next();
                Check.equal(status == 500 ? 1 : 0, agent.next().report().getRetcode());
            }
        }
    }

    @Test
    void callThatThrowsIsReportedAsFailed() throws Exception {
        try (Responder agent = new Responder(Responder.serving(8080));
                LarsClient client = client(agent)) {
            Check.raises(SocketTimeoutException.class, "the call", () -> client.run(0, 3, host -> {
                throw new SocketTimeoutException("the call");
            }));
            agent.next();
            Check.equal(1, agent.next().report().getRetcode());
            Check.raises(IllegalStateException.class, "the call", () -> client.call(0, 3, host -> {
                throw new IllegalStateException("the call");
            }));
            agent.next();
            Check.equal(1, agent.next().report().getRetcode());
        }
    }

    @Test
    void interruptedCallSaysNothingAboutItsHost() throws Exception {
        try (Responder agent = new Responder(Responder.serving(8080));
                LarsClient client = client(agent)) {
            Check.raises(InterruptedException.class, "", () -> client.run(0, 3, host -> {
                throw new InterruptedException("");
            }));
            Check.raises(StackOverflowError.class, "", () -> client.run(0, 3, host -> {
                throw new StackOverflowError("");
            }));
            client.getHost(0, 3);
            for (int i = 0; i < 3; i++) {
                agent.next().getHost();
            }
        }
    }

    @Test
    void interruptedThreadGetsItsAnswersAndStaysInterrupted() throws Exception {
        try (Responder agent = new Responder(Responder.serving(8080));
                LarsClient client = client(agent)) {
            Thread.currentThread().interrupt();
            Check.equal(host(8080), client.getHost(0, 3));
            Check.equal(List.of(host(8080)), client.getRoute(0, 3));
            client.report(host(8080));
            Check.equal(true, Thread.interrupted());
            Check.equal(host(8080), client.getHost(0, 3));
            agent.setAnswer(Responder.serving());
            Thread.currentThread().interrupt();
            Check.raises(InterruptedException.class, "", () -> client.register(0, 3));
            Check.equal(false, Thread.interrupted());
        }
    }

    @Test
    void reportThatCannotBeSentDoesNotHideWhatTheCallThrew() throws Exception {
        try (Responder agent = new Responder(Responder.serving(8080))) {
            LarsClient client = client(agent);
            Check.raises(IOException.class, "the call", () -> client.run(0, 3, host -> {
                client.close();
                throw new IOException("the call");
            }));
        }
    }

    @Test
    void withoutAHostThereIsNoCall() throws Exception {
        try (Responder agent = new Responder(Responder.refusing(1));
                LarsClient client = client(agent)) {
            Check.raises(OverloadedException.class, "module (0, 3) takes no call now", () -> client.run(0, 3, host -> {
                throw new AssertionError("called without a host");
            }));
        }
    }

    @Test
    void whatCannotBeUsedIsRefused() {
        Class<IllegalArgumentException> illegal = IllegalArgumentException.class;
        try (LarsClient client = new LarsClient("127.0.0.1:1")) {
            for (int[] ids : new int[][] {{-1, 1}, {1, -1}, {0, 0}}) {
                Check.raises(illegal, "", () -> client.getHost(ids[0], ids[1]));
                Check.raises(illegal, "", () -> client.getRoute(ids[0], ids[1]));
                Check.raises(illegal, "", () -> client.run(ids[0], ids[1], host -> {}));
            }
        }
        for (Duration timeout : List.of(Duration.ZERO, Duration.ofSeconds(-1), Duration.ofDays(1))) {
            Check.raises(illegal, "cannot be used", () -> new LarsClient("127.0.0.1:8888", timeout));
        }
        Check.raises(illegal, "agent address", () -> new LarsClient("no such name:8888"));
    }

    @Test
    void threadsShareAClientWithoutGettingEachOthersAnswers() throws Exception {
        AtomicInteger right = new AtomicInteger();
        try (Responder agent = new Responder(LarsClientTest::modidAsPort);
                LarsClient client = client(agent)) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 1; i <= 100; i++) {
                int modid = 3 * i;
                threads.add(new Thread(() -> {
                    for (int call = 0; call < 20; call++) {
                        right.addAndGet(client.getHost(modid, 3).port() == modid ? 1 : 0);
                    }
                }));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
        }
        Check.equal(2000, right.get());
    }

    @Test
    void socketsAreUsedAgainBoundedAndClosedWithTheClient() throws Exception {
        try (Responder agent = new Responder(Responder::silent)) {
            long before = openFiles();
            LarsClient client = client(agent.agent(), Duration.ofSeconds(1));
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                threads.add(
                        new Thread(() -> Check.raises(UNAVAILABLE, "no answer", () -> client.getHost(0, 3))));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            long kept = openFiles();
            Check.holds(kept > before && kept <= before + 64 + 5, kept + " files instead of " + before);
            agent.setAnswer(Responder.serving(8080));
            Set<Object> senders = new HashSet<>();
            while (!agent.noneIsLeft()) {
                agent.next();
            }
            for (int i = 0; i < 200; i++) {
                client.report(client.getHost(0, 3));
                senders.add(agent.next().sender());
                senders.add(agent.next().sender());
            }
            Check.equal(2, senders.size()); // one for questions, one for reports
            client.close();
            Check.holds(openFiles() <= before + 5, openFiles() + " files instead of " + before);
        }
    }

    @Test
    void closedClientRefusesFurtherCalls() throws Exception {
        try (Responder agent = new Responder(Responder.serving(8080))) {
            LarsClient client = client(agent);
            client.getHost(0, 3);
            client.close();
            client.close();
            for (Check.Code call : List.<Check.Code>of(
                    () -> client.getHost(0, 3),
                    () -> client.getRoute(0, 3),
                    () -> client.report(host(8080)),
                    () -> client.register(0, 3))) {
                Check.raises(IllegalStateException.class, "this LarsClient is closed: make a new one", call);
            }
        }
    }
}

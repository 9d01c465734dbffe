package lars.client;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import lars.Lars.GetHostResponse;
import lars.Lars.ReportBatch;
import lars.Lars.ReportRequest;
import lars.Lars.RouteStateResponse;

/** The cache of one module, without sockets. */
final class ModuleCacheTest {
    private static final ModuleId MODULE = new ModuleId(0, 3);
    private static final double UNKNOWN = Double.NaN;

    private final List<byte[]> sent = new ArrayList<>();
    private final Shard shard = new Shard(0, null);
    private final ModuleCache cache = new ModuleCache(MODULE, shard, 1, sent::add);
    private int seq;

    private static Host host(int port) {
        return Host.of(0, 3, Responder.IP, port);
    }

    /** Asks for a host, and for the state if that is due; the host to call where the agent has chosen {@code port}. */
    private Host asked(double now, RouteStateResponse.Builder state, int port) {
        HostQuestion question = cache.question(++seq, 0, now);
        if (state != null && question.requests().size() == 2) {
            Check.equal(null, question.answer(ByteBuffer.wrap(
                    Responder.frame(11, state.setSeq(seq).build().toByteArray()))));
        }
        return question.answer(ByteBuffer.wrap(Responder.frame(GetHostResponse.newBuilder()
                .setSeq(seq)
                .setModid(0)
                .setCmdid(3)
                .setHost(Responder.info(port)))));
    }

    private void know(double now, RouteStateResponse.Builder state) {
        int port = state.getIdle(0).getPort();
        cache.report(asked(now, state, port), 0, UNKNOWN, now);
        sent.clear();
    }

    private Set<Integer> chosen(double now, int calls) {
        Set<Integer> ports = new HashSet<>();
        for (int call = 0; call < calls; call++) {
            Host host = cache.choose(0, now);
            ports.add(host.port());
            cache.report(host, 0, UNKNOWN, now);
        }
        return ports;
    }

    private static int id(byte[] datagram) {
        return ByteBuffer.wrap(datagram).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    private ReportBatch batch(int number) throws InvalidProtocolBufferException {
        Check.equal(12, id(sent.get(number)));
        return ReportBatch.parseFrom(ByteBuffer.wrap(sent.get(number), 8, sent.get(number).length - 8));
    }

    private ReportRequest report(int number) throws InvalidProtocolBufferException {
        Check.equal(6, id(sent.get(number)));
        return ReportRequest.parseFrom(ByteBuffer.wrap(sent.get(number), 8, sent.get(number).length - 8));
    }

    @Test
    void agentIsAskedOnceInATtl() {
        Check.equal(null, cache.choose(0, 1));
        know(1, Responder.state("adaptive", 8080, 8081));
        Check.equal(Set.of(8080, 8081), chosen(1.99, 10));
        Check.equal(null, cache.choose(0, 2));
        Check.equal(2, cache.question(9, 0, 2).requests().size());
        Check.equal(1, cache.question(10, 0, 2.5).requests().size()); // another query asks already
    }

    @Test
    void successesAreGatheredWithTheirCosts() throws Exception {
        know(1, Responder.state("adaptive", 8080));
        for (int call = 0; call < 3; call++) {
            cache.report(cache.choose(0, 1.5), 0, call == 0 ? UNKNOWN : 0.002, 1.5);
        }
        Check.equal(0, sent.size());
        cache.flush(1.6);
        var result = batch(0).getResult(0);
        Check.equal(3, result.getSucc());
        Check.equal(2, result.getTimed());
        Check.equal(4000L, result.getCostUs());
        cache.flush(1.7);
        Check.equal(1, sent.size());
    }

    @Test
    void failureIsSentAtOnceAfterTheSuccessesBeforeItAndChoosingGoesOn() throws Exception {
        know(1, Responder.state("adaptive", 8080, 8081));
        chosen(1.2, 4);
        cache.report(cache.choose(0, 1.3), 5, 0.25, 1.3);
        Check.equal(4, batch(0).getResultList().stream().mapToInt(each -> each.getSucc()).sum());
        Check.equal(5, report(1).getRetcode());
        Check.equal(250, report(1).getCostMs());
        Check.holds(cache.choose(0, 1.4) != null, "it goes on choosing");
    }

    @Test
    void afterAFailureHalfOfTheSuccessesAreSent() throws Exception {
        know(1, Responder.state("adaptive", 8080, 8081));
        cache.report(cache.choose(0, 1.1), 1, UNKNOWN, 1.1);
        sent.clear();
        chosen(1.2, 14);
        for (int number = 0; number < 3; number++) {
            int wanted = 2 << number;
            Check.equal(wanted, batch(number).getResultList().stream().mapToInt(each -> each.getSucc()).sum());
        }
        Check.equal(3, sent.size());
    }

    @Test
    void hostThatFailsIsLeftAtOnce() {
        know(1, Responder.state("adaptive", 8080, 8081, 8082));
        chosen(1.1, 100);
        cache.report(host(8081), 1, UNKNOWN, 1.2);
        cache.report(host(8081), 1, UNKNOWN, 1.2);
        Check.equal(Set.of(8080, 8082), chosen(1.3, 50));
    }

    @Test
    void hostThatTheAgentChoseIsReportedByItself() throws Exception {
        know(1, Responder.state("adaptive", 8080, 8081));
        Host host = asked(2, Responder.state("adaptive", 8080, 8081), 8081);
        Check.equal(host(8081), host);
        cache.report(host, 0, 0.003, 2.1);
        Check.equal(3, report(sent.size() - 1).getCostMs());
    }

    @Test
    void agentsChoiceIsNotCalledIfThisProcessHasJustSeenItFail() {
        know(1, Responder.state("adaptive", 8080, 8081, 8082));
        chosen(1.1, 60);
        cache.report(host(8081), 1, UNKNOWN, 1.2);
        Check.holds(asked(2, Responder.state("adaptive", 8080, 8081, 8082), 8081).port() != 8081, "another host");
    }

    @Test
    void ejectedHostIsOnlyTheAgentsToProbe() {
        RouteStateResponse.Builder state =
                Responder.state("adaptive", 8080, 8081).addOverloaded(Responder.info(8082));
        know(1, state);
        Check.equal(Set.of(8080, 8081), chosen(1.5, 50));
        Check.equal(host(8082), asked(2, state, 8082)); // its probe
        know(3, Responder.state("adaptive", 8080, 8081, 8082).setVersion(2)); // restored
        Check.equal(true, chosen(3.5, 400).contains(8082));
    }

    @Test
    void weightsOfTheStateAreShares() {
        know(1, Responder.state("round_robin", 8080, 8081).addIdleWeight(100).addIdleWeight(0));
        Check.equal(Set.of(8080), chosen(1.5, 20));
    }

    @Test
    void classicTakesTurnsAndAsksTheAgentAfterAFailure() {
        know(1, Responder.state("classic", 8080, 8081));
        Check.equal(Set.of(8080, 8081), chosen(1.5, 2));
        cache.report(host(8080), 1, UNKNOWN, 1.6);
        Check.equal(null, cache.choose(0, 1.6));
        Check.equal(2, cache.question(9, 0, 1.6).requests().size());
    }

    @Test
    void agentIsAskedForEachCallWhereItAloneCanChoose() {
        for (RouteStateResponse.Builder state : List.of(
                Responder.state("adaptive", 8080).setAsk(true),
                Responder.state("", 8080).addOverloaded(Responder.info(8081)),
                Responder.state("consistent_hash", java.util.stream.IntStream.rangeClosed(1, 101).toArray()))) {
            know(1, state.setVersion(seq + 1));
            Check.equal(null, cache.choose(0, 1.1));
        }
    }

    @Test
    void callWithAKeyIsTheAgentsWhereItNamesNoPolicy() {
        know(1, Responder.state("", 8080));
        Check.equal(null, cache.choose(17, 1.1));
        Check.equal(host(8080), cache.choose(0, 1.1));
    }

    @Test
    void agentWithoutStatesIsNotAskedForThemInTheNextMinute() {
        Check.equal(host(8080), asked(1, null, 8080));
        Check.equal(null, cache.choose(0, 1.1));
        Check.equal(1, cache.question(9, 0, 60.9).requests().size());
        Check.equal(2, cache.question(9, 0, 61).requests().size());
    }

    @Test
    void processGoesOnWatchingOnceInATtl() throws Exception {
        know(1, Responder.state("adaptive", 8080));
        cache.flush(1.5);
        Check.equal(0, sent.size());
        cache.flush(2);
        Check.equal(3000, batch(0).getWatchMs());
    }

    @Test
    void failureOfAnotherProcessIsGoneRoundAndSuccessesBeforeItAreSent() throws Exception {
        know(1, Responder.state("adaptive", 8080, 8081, 8082));
        chosen(1.1, 30);
        cache.failedElsewhere(host(8081), 0.005);
        Check.equal(true, batch(0).getBeforeFailure());
        Check.equal(30, batch(0).getResultList().stream().mapToInt(each -> each.getSucc()).sum());
        Check.equal(Set.of(8080, 8082), chosen(1.2, 6));
        cache.failedElsewhere(host(9999), 0.005);
    }

    @Test
    void changedStateIsTakenAtOnce() {
        know(1, Responder.state("adaptive", 8080, 8081));
        cache.changed(
                Responder.state("adaptive", 8080).addOverloaded(Responder.info(8081)).setVersion(2).build(), 1.1);
        Check.equal(Set.of(8080), chosen(1.2, 20));
    }

    @Test
    void slownessThatOthersKnowIsTaken() {
        RouteStateResponse.Builder state = Responder.state("adaptive", 8080, 8081, 8082);
        know(1, state);
        for (int call = 0; call < 100; call++) {
            cache.report(cache.choose(0, 1.1), 0, 0.005, 1.1);
        }
        know(2, state); // from now on it has called nobody
        state.addSlow(lars.Lars.SlowHost.newBuilder()
                .setIp(Responder.IP_NUMBER)
                .setPort(8081)
                .setPenalty(8));
        know(3, state);
        Check.equal(Set.of(8080, 8082), chosen(3.1, 30));
    }

    @Test
    void folderOfSavedRoutesComesWithTheState() {
        know(1, Responder.state("adaptive", 8080).setStateDir("/srv/lars"));
        Check.equal("/srv/lars", shard.stateDir());
    }

    @Test
    void overloadedModuleRefusesCalls() {
        know(1, Responder.state("adaptive", 8080, 8081));
        for (int call = 0; call < 100; call++) {
            cache.report(cache.choose(0, 1.1), 0, 0.005, 1.1);
        }
        Check.raises(OverloadedException.class, "module (0, 3) takes no call now: load is shed because", () -> {
            for (int call = 0; call < 2000; call++) {
                double now = 1.2 + call * 0.005;
                Host host = cache.choose(0, now);
                if (host == null) {
                    know(now, Responder.state("adaptive", 8080, 8081));
                } else {
                    cache.report(host, 1, 2, now);
                }
            }
        });
    }

    @Test
    void endSendsWhatIsLeftAndChoosesNoMore() throws Exception {
        know(1, Responder.state("adaptive", 8080));
        chosen(1.5, 7);
        cache.end();
        Check.equal(7, batch(0).getResult(0).getSucc());
        Check.equal(null, cache.choose(0, 1.6));
    }
}

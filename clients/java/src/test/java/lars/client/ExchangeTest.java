package lars.client;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import lars.Lars.GetHostResponse;
import lars.Lars.GetRouteResponse;
import lars.Lars.HostInfo;
import lars.Lars.ReportRequest;

/** Datagrams by their bytes: those of the C++ agent were captured from its programs. */
final class ExchangeTest {
    private static final ModuleId MODULE = new ModuleId(1, 2);
    private static final HostQuestion QUESTION = new HostQuestion(MODULE, 7, 0);

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static GetHostResponse.Builder good() {
        return GetHostResponse.newBuilder()
                .setSeq(7)
                .setModid(1)
                .setCmdid(2)
                .setHost(Responder.info(8080));
    }

    private static Host answer(byte[] datagram) {
        return QUESTION.answer(ByteBuffer.wrap(datagram));
    }

    private static Host answer(GetHostResponse.Builder response) {
        return answer(Responder.frame(response));
    }

    @Test
    void getHostIsAFrameWithSeqAndModule() {
        Check.equal("0400000006000000" + "080710011802", hex(QUESTION.requests().get(0)));
    }

    @Test
    void largestSeqIsAPositiveNumberOfFiveBytes() {
        HostQuestion question = new HostQuestion(MODULE, -1, 0);
        Check.equal("040000000a000000" + "08ffffffff0f10011802", hex(question.requests().get(0)));
    }

    @Test
    void answerOfOurAgentIsItsHost() {
        Check.equal(Host.of(1, 2, "10.0.0.5", 8080), answer(good()));
    }

    @Test
    void answersOfTheCppAgentAreReadThoughItWritesAnIpAsANegativeNumber() {
        byte[] host = bytes("0500000014000000100118012a0e08b183a085fcffffffff0110e13c");
        Check.equal(
                Host.of(1, 1, "192.168.1.177", 7777),
                new HostQuestion(new ModuleId(1, 1), 0, 0).answer(ByteBuffer.wrap(host)));
        byte[] noexist = bytes("0500000006000000106318622003");
        Check.raises(NoSuchModuleException.class, "module (99, 98)", () -> new HostQuestion(new ModuleId(99, 98), 0, 0)
                .answer(ByteBuffer.wrap(noexist)));
        byte[] route = bytes(
                "0800000024000000080110011a0e08b183a085fcffffffff0110e13c1a0e0881a3a085fcffffffff0110d936");
        Check.equal(
                List.of(Host.of(1, 1, "192.168.1.177", 7777), Host.of(1, 1, "192.168.17.129", 7001)),
                new RouteQuestion(new ModuleId(1, 1)).answer(ByteBuffer.wrap(route)));
    }

    @Test
    void answersToOthersAreNone() {
        Check.equal(null, answer(good().setSeq(8)));
        Check.equal(null, answer(good().setModid(9)));
        Check.equal(null, answer(good().setCmdid(9).setRetcode(3)));
        Check.equal(null, answer(Responder.frame(8, good().build().toByteArray())));
    }

    @Test
    void bytesThatAreNoMessageAreNoAnswer() {
        byte[] whole = Responder.frame(good());
        for (int size = 0; size < whole.length; size++) {
            Check.equal(null, answer(Arrays.copyOf(whole, size)));
        }
        Check.equal(null, answer(Arrays.copyOf(whole, whole.length + 1)));
        Check.equal(null, answer(Responder.frame(5, bytes("ffffffff"))));
        byte[] garbage = new byte[2000];
        Arrays.fill(garbage, (byte) 0xff);
        Check.equal(null, answer(garbage));
    }

    @Test
    void hostThatCannotExistIsNoAnswer() {
        for (int port : new int[] {0, -1, 65_536}) {
            Check.equal(null, answer(good().setHost(Responder.info(port))));
        }
        Check.equal(null, answer(good().clearHost()));
    }

    @Test
    void refusalsSayWhatToDo() {
        Check.raises(
                NoSuchModuleException.class,
                "add one with `lars route add 1 2 IP:PORT`",
                () -> answer(good().setRetcode(3)));
        Check.raises(
                OverloadedException.class,
                "try again later, `lars explain 1 2` shows why",
                () -> answer(good().setRetcode(1)));
        Check.raises(
                AgentUnavailableException.class,
                "could not choose a host of module (1, 2): see its log",
                () -> answer(good().setRetcode(2)));
    }

    @Test
    void routeIsAllHostsThatCanExist() {
        RouteQuestion question = new RouteQuestion(MODULE);
        Check.equal("0700000004000000" + "08011002", hex(question.requests().get(0)));
        GetRouteResponse.Builder response = GetRouteResponse.newBuilder().setModid(1).setCmdid(2);
        Check.equal(List.of(), question.answer(ByteBuffer.wrap(Responder.frame(response))));
        IntStream.of(8080, 0, 8081).forEach(port -> response.addHost(Responder.info(port)));
        Check.equal(
                List.of(Host.of(1, 2, "10.0.0.5", 8080), Host.of(1, 2, "10.0.0.5", 8081)),
                question.answer(ByteBuffer.wrap(Responder.frame(response))));
        Check.equal(null, question.answer(ByteBuffer.wrap(Responder.frame(response.setCmdid(3)))));
    }

    @Test
    void routeOfFourThousandHostsIsRead() {
        GetRouteResponse.Builder response = GetRouteResponse.newBuilder().setModid(1).setCmdid(2);
        for (int i = 0; i < 4000; i++) {
            response.addHost(HostInfo.newBuilder().setIp(0xc0a80000 + i).setPort(60_000));
        }
        List<Host> hosts = new RouteQuestion(MODULE).answer(ByteBuffer.wrap(Responder.frame(response)));
        Check.equal(4000, hosts.size());
        Check.equal(Host.of(1, 2, "192.168.15.159", 60_000), hosts.get(3999));
    }

    @Test
    void reportNamesModuleAndHost() {
        byte[] report = Report.encode(Host.of(1, 1, "192.168.1.177", 7777), 0, Double.NaN);
        Check.equal("060000000f000000" + "080110011a0908b183a0850c10e13c", hex(report));
    }

    @Test
    void costIsRoundedToMillisecondsAndKeptWithinItsField() throws Exception {
        Check.equal(1, cost(Duration.ofNanos(1_400_000)));
        Check.equal(2, cost(Duration.ofNanos(1_600_000)));
        Check.equal(0, cost(Duration.ofNanos(400_000)));
        Check.equal(0, cost(Duration.ofSeconds(-5)));
        Check.equal(-1, cost(Duration.ofDays(100))); // the largest uint32
        Check.equal(-1, cost(Duration.ofSeconds(Long.MAX_VALUE)));
    }

    private static int cost(Duration cost) throws Exception {
        byte[] report = Report.encode(Host.of(1, 1, "10.0.0.5", 80), 1, Clock.seconds(cost));
        return ReportRequest.parseFrom(ByteBuffer.wrap(report, 8, report.length - 8)).getCostMs();
    }
}

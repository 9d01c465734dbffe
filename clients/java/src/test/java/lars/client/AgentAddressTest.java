package lars.client;

import java.net.InetSocketAddress;
import java.util.List;

final class AgentAddressTest {
    private static final Class<IllegalArgumentException> ILLEGAL = IllegalArgumentException.class;

    @Test
    void moduleIsAnsweredForByTheRemainderOfItsIds() {
        Check.equal(2, AgentAddress.shardOf(new ModuleId(1, 1)));
        Check.equal(0, AgentAddress.shardOf(new ModuleId(0, 3)));
        Check.equal(1, AgentAddress.shardOf(new ModuleId(2, 2)));
        Check.equal(2, AgentAddress.shardOf(new ModuleId(Integer.MAX_VALUE, Integer.MAX_VALUE)));
    }

    @Test
    void idsThatNoModuleCanHaveAreRefused() {
        Check.raises(ILLEGAL, "modid -1 is out of range: use 0 to 2147483647", () -> new ModuleId(-1, 1));
        Check.raises(ILLEGAL, "cmdid -2147483648 is out", () -> new ModuleId(1, Integer.MIN_VALUE));
        Check.raises(ILLEGAL, "module (0, 0) does not exist", () -> new ModuleId(0, 0));
    }

    @Test
    void agentIsAnIpAndAPortWithRoomForItsShards() {
        AgentAddress agent = AgentAddress.parse("10.0.0.9:65533");
        Check.equal(new InetSocketAddress(Ip.parse("10.0.0.9"), 65535), agent.shard(2));
        Check.raises(ILLEGAL, "agent address: port 65534 is too high", () -> AgentAddress.parse("10.0.0.9:65534"));
        Check.raises(ILLEGAL, "agent address: '10.0.0.9' is not an address", () -> AgentAddress.parse("10.0.0.9"));
        for (String bad : List.of("", "0", "65536", "123456", "-1", "+1", "8 ")) {
            Check.raises(ILLEGAL, "'" + bad + "' is not a port", () -> AgentAddress.parse("10.0.0.9:" + bad));
        }
    }

    @Test
    void agentMayBeGivenByAName() {
        AgentAddress agent = AgentAddress.parse("localhost:9000");
        Check.equal("localhost", agent.name());
        Check.equal("127.0.0.1", agent.ip().getHostAddress());
        Check.equal(null, AgentAddress.parse("127.0.0.1:9000").name());
        Check.raises(
                ILLEGAL,
                "agent address: 'nowhere.invalid' has no IPv4 address",
                () -> AgentAddress.parse("nowhere.invalid:9000"));
        Check.raises(ILLEGAL, "'::1' is not an IPv4 address", () -> AgentAddress.parse("::1:9000"));
    }

    @Test
    void agentComesFromTheEnvironmentOrIsTheDefault() {
        Check.equal("127.0.0.1:8888", AgentAddress.ofEnvironment(null));
        Check.equal("127.0.0.1:8888", AgentAddress.ofEnvironment(""));
        Check.equal("10.0.0.9:9000", AgentAddress.ofEnvironment("10.0.0.9:9000"));
        Check.raises(
                ILLEGAL,
                "environment LARS_AGENT: agent address: 'nowhere' is not an address",
                () -> AgentAddress.ofEnvironment("nowhere"));
    }
}

package lars.client;

import java.net.InetAddress;
import java.net.InetSocketAddress;

final class HostTest {
    private static final Class<IllegalArgumentException> ILLEGAL = IllegalArgumentException.class;

    @Test
    void hostSaysWhereItIs() {
        Host host = Host.of(1, 2, "192.168.1.177", 8080);
        Check.equal("192.168.1.177", host.ip());
        Check.equal(8080, host.port());
        Check.equal("192.168.1.177:8080", host.toString());
        Check.equal(false, host.address().isUnresolved());
        Check.equal(Host.of(1, 2, "192.168.1.177", 8080), host);
    }

    @Test
    void ipIsAnUnsignedNumberInHostOrder() {
        Check.equal((int) 3_232_235_953L, Ip.number(Ip.parse("192.168.1.177")));
        Check.equal("192.168.1.177", Ip.of((int) 3_232_235_953L).getHostAddress());
        Check.equal("255.255.255.255", Ip.of(-1).getHostAddress());
        String[] others = {"", "localhost", "127.1", "1.2.3.256", "1.2.3.4.5", " 1.2.3.4", "01.2.3.4", "::1"};
        for (String bad : others) {
            Check.raises(ILLEGAL, "'" + bad + "' is not an IPv4 address", () -> Ip.parse(bad));
        }
    }

    @Test
    void hostThatCannotExistIsRefused() throws Exception {
        Check.raises(ILLEGAL, "'example.com' is not an IPv4 address", () -> Host.of(1, 1, "example.com", 80));
        Check.raises(ILLEGAL, "is not a host", () -> Host.of(1, 1, "10.0.0.5", 0));
        Check.raises(ILLEGAL, "port out of range", () -> Host.of(1, 1, "10.0.0.5", 65_536));
        Check.raises(ILLEGAL, "is not a host", () -> Host.of(1, 1, "0.0.0.0", 80));
        Check.raises(ILLEGAL, "modid -1", () -> Host.of(-1, 1, "10.0.0.5", 80));
        InetAddress ipv6 = InetAddress.getByName("::1");
        Check.raises(ILLEGAL, "is not a host", () -> new Host(1, 1, new InetSocketAddress(ipv6, 80)));
        InetSocketAddress name = InetSocketAddress.createUnresolved("example.com", 80);
        Check.raises(ILLEGAL, "is not a host", () -> new Host(1, 1, name));
    }
}
